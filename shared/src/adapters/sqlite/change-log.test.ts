import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommentId, PostId, UserId } from '../../domain/id'
import { changeLogConformance } from '../../testing/change-log-conformance'
import type { ChangeLogHarness, TestChange } from '../../testing/change-log-harness'
import { createSqliteChangeLog } from './change-log'
import { openSqliteDatabase, type SqliteDatabase } from './database'

changeLogConformance('SqliteChangeLog', createHarness)

async function createHarness(): Promise<ChangeLogHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'sns-change-log-'))
  const database = await openSqliteDatabase({ path: join(folder, 'test.db') })
  return {
    open: () => createSqliteChangeLog(database),
    async append(changes) {
      for (const change of changes) await write(database, change)
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Writes the row as the suite would, so that the triggers make the event. */
async function write({ db }: SqliteDatabase, { table, op, id, text }: TestChange): Promise<void> {
  const author_id = 5 as UserId
  const rowId = id as PostId & CommentId
  if (op === 'd') {
    await db.deleteFrom(table).where('id', '=', rowId).execute()
  } else if (op === 'u') {
    await db.updateTable(table).set({ text }).where('id', '=', rowId).execute()
  } else if (table === 'posts') {
    const row = { id: rowId, author_id, text, version: 1, created_at: id, edited_at: null }
    await db
      .insertInto('posts')
      .values({ ...row, updated_at: id })
      .execute()
  } else {
    const row = { id: rowId, author_id, text, post_id: 1 as PostId, created_at: id }
    await db.insertInto('comments').values(row).execute()
  }
}
