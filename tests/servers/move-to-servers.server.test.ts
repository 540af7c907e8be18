import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Database } from '@sns/shared/adapters/sql/schema'
import { copyTables, MOVED_TABLES, type MovedTable } from '@sns/shared/adapters/sql/table-copy'
import { openSqliteDatabase } from '@sns/shared/adapters/sqlite/database'
import { createIdGenerator } from '@sns/shared/domain/id'
import { createSqlStores } from '@sns/shared/runtime/sql-stores'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { signUpAll, startSession } from '@sns/shared/testing/people'
import { testServers } from '@sns/shared/testing/servers'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { type Kysely, sql } from 'kysely'
import { spawnProgram } from '../../scripts/process/program-process'

/** An embedded database in which something of everything happened. */
async function writeEmbedded(path: string): Promise<void> {
  await using database = await openSqliteDatabase({ path })
  const { db } = database
  const clock = createManualClock()
  const ids = createIdGenerator({ clock })
  const { users, sessions, graph, posts, engagement, notifications, tags } = createSqlStores(db, {
    clock,
    ids,
  })
  const people = await signUpAll(users, 'under_score', 'Zed', 'ann', '_bob')
  const [a, b, c, d] = people
  await startSession(sessions, a)
  await graph.follow(a.id, b.id)
  await graph.follow(b.id, a.id)
  await graph.mute(a.id, c.id)
  await graph.block(c.id, b.id)
  for (let at = 0; at < 25; at += 1) {
    const text = `post ${at} 👋 가나다 \u0000`.replace('\u0000', at % 2 ? '\t' : '\n')
    const idempotencyKey = at % 3 === 0 ? `key ${at}` : null
    const author = people[at % 4]?.id ?? a.id
    const { body } = await posts.create({ id: ids.next(), authorId: author, text, idempotencyKey })
    if (at % 5 === 0) await posts.edit(body.id, author, `${text} edited`)
    await engagement.like(b.id, body.id).catch(() => undefined)
    const comment = {
      id: ids.next<'comment'>(),
      postId: body.id,
      authorId: a.id,
      text: '좋아요',
      idempotencyKey: idempotencyKey && `${idempotencyKey} comment`,
    }
    await engagement.comment(comment).catch(() => undefined)
    await tags.set([{ post: body.id, tags: ['말', 'bun'] }])
    const told = {
      recipient: author,
      kind: 'like',
      actor: b.id,
      subject: body.id,
      post: body.id,
    } as const
    await notifications.add([{ ...told, at, isLate: false }])
  }
  const [mark] = (await notifications.list(a.id, { before: null, limit: 1 })).items
  if (mark) await notifications.markRead(a.id, mark.key)
  await db
    .insertInto('merged_authors')
    .values({ author_id: a.id, is_pushed: 1, crossing: 7 })
    .execute()
  await users.delete(d.id, `hash of ${d.username}`)
  // As a crash leaves them.
  await db.insertInto('account_deletions').values({ user_id: d.id, started_at: 1 }).execute()
  await db
    .insertInto('imported_notes')
    .values({ user_id: a.id, note: 'https://a.example/1' })
    .execute()
  await db.insertInto('post_deletions').values({ post_id: ids.next() }).execute()
}

async function contents(db: Kysely<Database>) {
  const tables = Object.keys(MOVED_TABLES) as MovedTable[]
  const rows = await Promise.all(
    tables.map(async (table) => {
      const all = await db.selectFrom(table).selectAll().execute()
      return [table, all.map((row) => JSON.stringify(Object.entries(row).sort())).sort()] as const
    }),
  )
  return Object.fromEntries(rows)
}

describe.skipIf(!testServers.mysql)('move-to-servers', () => {
  const move = async (path: string, url: string) => {
    await using program = spawnProgram('move-to-servers', [path], { DATABASE_URL: url })
    return { code: await program.exited, output: program.output() }
  }

  test('copies every row, goes on where it was stopped, and finds both equal; twice is once', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'sns.db')
    await writeEmbedded(path)
    await using target = await openTestDatabase('mysql')

    {
      // Stopped in the midst of a table.
      await using source = await openSqliteDatabase({ path })
      const stop = new AbortController()
      const onProgress = (table: MovedTable, done: number) => {
        if (table === 'comments' && done > 5) stop.abort()
      }
      const options = { signal: stop.signal, onProgress, batch: 3 }
      expect(await copyTables(source.db, target.db, options)).toBe(false)
    }
    const first = await move(path, target.url)
    expect(first).toEqual({ code: 0, output: expect.stringContaining('every table is equal') })
    expect(await move(path, target.url)).toMatchObject({ code: 0 })

    await using source = await openSqliteDatabase({ path })
    const there = await contents(target.db)
    expect(there).toEqual(await contents(source.db))
    for (const [table, rows] of Object.entries(there)) {
      expect([table, rows.length > 0]).toEqual([table, true])
    }
  }, 60_000)

  test('refuses a database that holds anything, a file that is not there, and finds what differs', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'sns.db')
    await writeEmbedded(path)
    await using target = await openTestDatabase('mysql')
    expect(await move(join(folder.path, 'none.db'), target.url)).toMatchObject({ code: 1 })
    expect(await move(path, `sqlite:${path}`)).toMatchObject({ code: 2 })
    expect((await move(path, target.url)).code).toBe(0)
    await target.db.updateTable('posts').set({ text: 'other' }).execute()
    expect(await move(path, target.url)).toEqual({
      code: 1,
      output: expect.stringContaining('posts differ'),
    })

    await using running = await openTestDatabase('mysql')
    const seen = async (ago: number) => {
      await running.db.deleteFrom('freshness_processes').execute()
      await sql`insert into freshness_processes (process, server, seen_at)
        values ('api', null, floor(unix_timestamp(now(3)) * 1000) - ${ago})`.execute(running.db)
    }
    await seen(0)
    expect(await move(path, running.url)).toEqual({
      code: 1,
      output: expect.stringContaining('services run on the database'),
    })
    await seen(24 * 3600 * 1000)
    expect((await move(path, running.url)).code).toBe(0)

    await using used = await openTestDatabase('mysql')
    const row = { tag: 'x', post_id: 1 as never }
    await used.db.insertInto('post_tags').values(row).execute()
    expect(await move(path, used.url)).toEqual({
      code: 1,
      output: expect.stringContaining('has post_tags already'),
    })
  }, 60_000)
})
