import { Database as BunDatabase } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { isSnsError } from '../../errors/sns-error'
import { createMetrics } from '../../observability/metrics'
import { counted } from '../../testing/counted'
import { postIds, postRow } from '../../testing/post-rows'
import { temporaryFolder } from '../../testing/temporary-folder'
import { transact } from '../sql/database'
import { openSqliteDatabase } from './database'

describe('the SQLite dialect', () => {
  test('keeps other requests out of an open transaction, and lets reads pass it', async () => {
    await using dir = await temporaryFolder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    const opened = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const rolledBack = transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(postRow(1)).execute()
      opened.resolve()
      await finish.promise
      expect(await tx.selectFrom('posts').select('id').execute()).toEqual([{ id: postRow(1).id }])
      throw new Error('changed its mind')
    }).catch((error) => error.message)
    await opened.promise
    const order: string[] = []
    const write = database.db
      .insertInto('posts')
      .values(postRow(2))
      .execute()
      .then(() => order.push('write'))
    const other = transact(database.db, (tx) =>
      tx.insertInto('posts').values(postRow(3)).execute(),
    ).then(() => order.push('transaction'))
    expect(await postIds(database)).toEqual([])
    expect(order).toEqual([])
    finish.resolve()
    expect(await rolledBack).toBe('changed its mind')
    await Promise.all([write, other])
    expect(await postIds(database)).toEqual([2, 3])
  })

  test('loses none of 500 writes that come at once', async () => {
    await using dir = await temporaryFolder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        n % 2
          ? database.db.insertInto('posts').values(postRow(n)).execute()
          : transact(database.db, async (tx) => {
              await tx.insertInto('posts').values(postRow(n)).execute()
              await tx
                .updateTable('posts')
                .set({ version: 2 })
                .where('id', '=', postRow(n).id)
                .execute()
            }),
      ),
    )
    expect(await postIds(database)).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('tells of commits, and of nothing else', async () => {
    await using dir = await temporaryFolder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    let commits = 0
    let visible: Promise<number[]> | null = null
    const stop = database.onCommit(() => {
      commits++
      visible = postIds(database)
    })
    await postIds(database)
    await transact(database.db, (tx) => tx.selectFrom('posts').selectAll().execute())
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(postRow(1)).execute()
      throw new Error('no')
    }).catch(() => {})
    expect(commits).toBe(0)
    await database.db.insertInto('posts').values(postRow(2)).execute()
    expect(commits).toBe(1)
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(postRow(3)).execute()
      await tx.insertInto('posts').values(postRow(4)).execute()
    })
    expect(commits).toBe(2)
    expect(await visible!).toEqual([2, 3, 4])
    stop()
    await database.db.insertInto('posts').values(postRow(5)).execute()
    expect(commits).toBe(2)
  })

  test('waits for a writer in another connection and goes on reading meanwhile', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'sns.db')
    await using database = await openSqliteDatabase({ path })
    const other = new BunDatabase(path)
    other.run('begin immediate')
    other.run("insert into posts values (1, 1, 'theirs', 1, 1, null, 1)")
    let isWritten = false
    const writes = Promise.all([
      database.db.insertInto('posts').values(postRow(2)).execute(),
      transact(database.db, (tx) => tx.insertInto('posts').values(postRow(3)).execute()),
    ]).then(() => {
      isWritten = true
    })
    for (let n = 0; n < 50; n++) expect(await postIds(database)).toEqual([])
    expect(isWritten).toBeFalse()
    other.run('commit')
    other.close()
    await writes
    expect(await postIds(database)).toEqual([1, 2, 3])
  })

  test('gives up on a writer that does not end, and is well afterwards', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'sns.db')
    const metrics = createMetrics()
    await using database = await openSqliteDatabase({ path, busyTimeoutMs: 20, metrics })
    const other = new BunDatabase(path)
    other.run('begin immediate')
    const errors = await Promise.all([
      database.db
        .insertInto('posts')
        .values(postRow(2))
        .execute()
        .catch((error) => error),
      transact(database.db, async () => {}).catch((error) => error),
    ])
    for (const error of errors) expect(isSnsError(error, 'store_unavailable')).toBeTrue()
    expect(await counted(metrics.storeErrors, { store: 'sqlite' })).toBe(2)
    other.run('rollback')
    other.close()
    await database.db.insertInto('posts').values(postRow(4)).execute()
    expect(await postIds(database)).toEqual([4])
  })
})
