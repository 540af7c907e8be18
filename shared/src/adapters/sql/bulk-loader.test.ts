import { expect, test } from 'bun:test'
import { sql } from 'kysely'
import { systemClock } from '../../domain/clock'
import type { FollowId, PostId, UserId } from '../../domain/id'
import { bulkLoaderConformance } from '../../testing/bulk-loader-conformance'
import { openTestStores } from '../../testing/sql-database'
import { createSqlBulkLoader } from './bulk-loader'

test('rows and the progress that they make are one transaction', async () => {
  await using stores = await openTestStores('sqlite')
  const { db } = stores.database
  const loader = createSqlBulkLoader(db, { clock: systemClock })
  await loader.open('source')
  const [user, other] = [
    { id: 1 as UserId, username: 'ann' },
    { id: 2 as UserId, username: 'bob' },
  ]
  const follow = { id: 1 as FollowId, follower: user.id, followee: other.id }
  const post = { id: 1 as PostId, authorId: user.id, text: 'text', createdAt: 5 }
  const loads = [
    () => loader.loadUsers('source', [user, other], 'hash', 2),
    () => loader.loadFollows('source', [follow], 1),
    () => loader.loadPosts('source', [post], 1),
  ]
  const rows = async () =>
    (
      await sql<{
        rows: number
      }>`select (select count(*) from users) + (select count(*) from follows)
        + (select count(*) from posts) as rows`.execute(db)
    ).rows[0]?.rows
  for (const [index, table] of ['users', 'follows', 'posts'].entries()) {
    for (const write of ['update on imports', `insert on ${table}`]) {
      await sql`create trigger refuse before ${sql.raw(write)} begin
        select raise(abort, 'refused'); end`.execute(db)
      await expect(loads[index]!()).rejects.toThrow('refused')
      await sql`drop trigger refuse`.execute(db)
      expect(await rows()).toBe(0)
      expect((await loader.open('source')).done).toEqual({
        users: 0,
        follows: 0,
        posts: 0,
        comments: 0,
      })
    }
  }
  for (const load of loads) await load()
  expect((await loader.open('source')).done).toEqual({
    users: 2,
    follows: 1,
    posts: 1,
    comments: 0,
  })
})

bulkLoaderConformance(async () => {
  const stores = await openTestStores('sqlite')
  return { ...stores, loader: createSqlBulkLoader(stores.database.db, { clock: systemClock }) }
})
