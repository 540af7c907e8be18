import { sql } from 'kysely'
import { createIdGenerator } from '../domain/id'
import { createSqlStores } from '../runtime/sql-stores'
import { createManualClock } from './manual-clock'
import type { PostStoreHarness } from './post-store-harness'
import { openTestDatabase, type TestDatabase, type TestDatabaseOptions } from './sql-database'

/** The SQL stores on a new database. */
export async function openSqlPostStores(
  kind: TestDatabase['kind'],
  options: TestDatabaseOptions = {},
): Promise<PostStoreHarness & { readonly database: TestDatabase }> {
  const database = await openTestDatabase(kind, options)
  const { db } = database
  const clock = createManualClock()
  const ids = createIdGenerator({ clock })
  const { users, posts, engagement, graph } = createSqlStores(db, { clock, ids })
  let made = 0
  return {
    database,
    clock,
    ids,
    users,
    posts,
    engagement,
    graph,
    addUser() {
      made += 1
      const username = `User_${made}`
      const displayName = `이름 ${made} 👋`
      return users.create({ id: ids.next<'user'>(), username, displayName, passwordHash: 'x' })
    },
    async inconsistencies() {
      const { rows } = await FAULTS.execute(db)
      return rows.map(({ fault, id }) => `${fault} ${id}`)
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

const FAULTS = sql<{ fault: string; id: number }>`
  select 'post without author' as fault, id from posts where author_id not in (select id from users)
  union all select 'like of nothing', post_id from likes where post_id not in (select id from posts)
  union all select 'like of nobody', post_id from likes where user_id not in (select id from users)
  union all select 'comment on nothing', id from comments where post_id not in (select id from posts)
  union all select 'comment of nobody', id from comments where author_id not in (select id from users)
  union all select 'counts of nothing', post_id from post_counts
    where post_id not in (select id from posts)
  union all select 'key of nobody', post_id from idempotency_keys
    where user_id not in (select id from users)
  union all select 'wrong likes', post_id from post_counts
    where likes <> (select count(*) from likes where likes.post_id = post_counts.post_id)
  union all select 'wrong comments', post_id from post_counts
    where comments <> (select count(*) from comments where comments.post_id = post_counts.post_id)`
