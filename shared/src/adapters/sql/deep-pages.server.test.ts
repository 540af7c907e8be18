import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import {
  type CommentId,
  createIdGenerator,
  type FollowId,
  type PostId,
  type SessionId,
  type UserId,
} from '../../domain/id'
import { createSqlStores } from '../../runtime/sql-stores'
import { createManualClock } from '../../testing/manual-clock'
import { type Statistics, writeStatistics } from '../../testing/mysql-statistics'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase } from '../../testing/sql-database'
import { BUSY, seedStores } from '../../testing/store-calls'
import { chunks } from '../chunks'
import { insertAbsent } from './inserts'
import { createSqlFeedReads } from './post-store'
import type { Database } from './schema'

const STATISTICS: readonly Statistics[] = [
  'right',
  'none',
  'thirty rows of one value',
  'many rows, all different',
]
/** How many the page of a list holds that begins below the `depth`th from above; null: the first. */
type ReadPage = (db: Kysely<Database>, depth: number | null) => Promise<number>

const person = (n: number) => (10 + n) as UserId
/** Of lists in the order in which rows were made, newest first. */
const idAt = (depth: number | null) => (depth === null ? null : ((LONG - depth) as never))
const keyAt = (depth: number | null) =>
  depth === null ? null : { at: AT + Math.floor((LONG - depth) / 10), user: person(LONG - depth) }
const clock = createManualClock()
const ids = createIdGenerator({ clock })
const stores = (db: Kysely<Database>) => createSqlStores(db, { clock, ids })

const LISTS: readonly (readonly [string, ReadPage])[] = [
  [
    'posts of somebody',
    async (db, depth) =>
      (await stores(db).posts.byAuthor(WRITER, READER, { before: idAt(depth), limit: PAGE })).items
        .length,
  ],
  [
    'posts that somebody likes',
    async (db, depth) =>
      (await stores(db).posts.likedIds(READER, { before: idAt(depth), limit: PAGE })).length,
  ],
  [
    'visible posts that somebody likes',
    async (db, depth) =>
      (await stores(db).posts.visibleLikedIds(READER, { before: idAt(depth), limit: PAGE })).length,
  ],
  [
    'posts with a tag',
    async (db, depth) =>
      (await stores(db).tags.postIds('long', READER, { before: idAt(depth), limit: PAGE })).length,
  ],
  [
    'who likes a post',
    async (db, depth) =>
      (await stores(db).engagement.likers(POST, READER, { before: keyAt(depth), limit: PAGE }))
        .items.length,
  ],
  [
    'comments on a post',
    async (db, depth) =>
      (
        await stores(db).engagement.comments(POST, READER, {
          after: depth === null ? null : (depth as CommentId),
          limit: PAGE,
        })
      ).items.length,
  ],
  [
    'whom somebody blocks',
    async (db, depth) =>
      (await stores(db).graph.blocks(WRITER, { before: keyAt(depth), limit: PAGE })).items.length,
  ],
  [
    'whom somebody mutes',
    async (db, depth) =>
      (await stores(db).graph.mutes(MUTER, { before: keyAt(depth), limit: PAGE })).items.length,
  ],
  [
    'who follows somebody',
    async (db, depth) =>
      (await stores(db).graph.followers(READER, READER, { before: idAt(depth), limit: PAGE })).items
        .length,
  ],
  [
    'sessions',
    async (db, depth) =>
      (await stores(db).sessions.list(READER, { before: idAt(depth), limit: PAGE }, AT)).items
        .length,
  ],
  [
    'notifications',
    async (db, depth) => {
      const at = LONG - (depth ?? 0)
      const key = { noticedAt: AT + at, kind: 0, actor: person(at), subject: 0 }
      const page = { before: depth === null ? null : key, limit: PAGE }
      return (await stores(db).notifications.list(READER, page)).items.length
    },
  ],
]

async function seedLongLists(db: Kysely<Database>): Promise<void> {
  const times = { created_at: AT, updated_at: AT }
  const insert = async <Table extends keyof Database>(
    table: Table,
    row: (n: number) => Parameters<typeof insertAbsent<Table>>[2][number],
  ) => {
    const rows = Array.from({ length: LONG }, (_, n) => row(n + 1))
    for (const some of chunks(rows, 1_000)) await insertAbsent(db, table, some)
  }
  await insertAbsent(
    db,
    'users',
    [READER, WRITER, MUTER].map((id) => ({
      id,
      username: `user_${id}`,
      display_name: 'x',
      ...times,
    })),
  )
  await insert('users', (n) => ({
    id: person(n),
    username: `person_${n}`,
    display_name: 'x',
    ...times,
  }))
  await insert('posts', (n) => ({
    id: n as PostId,
    author_id: WRITER,
    text: 'x',
    version: 1,
    edited_at: null,
    ...times,
  }))
  const time = (n: number) => AT + Math.floor(n / 10)
  await insert('likes', (n) => ({ user_id: person(n), post_id: POST, created_at: time(n) }))
  await insert('likes', (n) => ({ user_id: READER, post_id: n as PostId, created_at: time(n) }))
  await insert('post_tags', (n) => ({ tag: 'long', post_id: n as PostId }))
  await insert('comments', (n) => ({
    id: n as CommentId,
    post_id: POST,
    author_id: WRITER,
    text: 'x',
    created_at: AT,
  }))
  await insert('blocks', (n) => ({
    blocker_id: WRITER,
    blocked_id: person(n),
    created_at: time(n),
  }))
  await insert('mutes', (n) => ({ muter_id: MUTER, muted_id: person(n), created_at: time(n) }))
  await insert('follows', (n) => ({
    follower_id: person(n),
    followee_id: READER,
    id: n as FollowId,
    created_at: AT,
  }))
  await insert('sessions', (n) => ({
    id: n as SessionId,
    user_id: READER,
    family_id: `family ${n}`,
    created_at: AT,
    last_used_at: AT,
    live_until: AT + 1e9,
    expires_at: AT + 1e9,
    rotations: 0,
    is_repeated: 0 as const,
  }))
  await insert('notifications', (n) => ({
    recipient_id: READER,
    kind: 0,
    actor_id: person(n),
    subject_id: 0,
    post_id: 0,
    at: AT,
    noticed_at: AT + n,
  }))
}

/** Look-ups for each person followed, and rows for each post of a page, at most. */
const READS = { person: 30, post: 60 }

describe.skipIf(!testServers.mysql)('feeds of MySQL', () => {
  test.each(STATISTICS)(
    'a reader of hundreds reads as few rows for each page to the end: statistics %s',
    async (statistics) => {
      await using database = await openTestDatabase('mysql')
      const { db } = database
      await seedStores(db)
      await writeStatistics(db, statistics)
      const { feedIds, feedAuthors } = createSqlFeedReads(db)
      const authors = await feedAuthors(BUSY)
      const all = await db
        .selectFrom('posts')
        .select('id')
        .where('author_id', 'in', authors)
        .orderBy('id', 'desc')
        .execute()
      const truth = all.map(({ id }) => id)
      for (const limit of [21, 800]) {
        const bound = READS.person * authors.length + READS.post * limit
        const seen: PostId[] = []
        for (;;) {
          const page = { before: seen.at(-1) ?? null, limit }
          const { ids, rows } = await db.connection().execute(async (connection) => {
            const before = await rowsRead(connection)
            const ids = await createSqlFeedReads(connection).feedIds(BUSY, page)
            return { ids, rows: (await rowsRead(connection)) - before }
          })
          expect(rows).toBeLessThan(bound)
          seen.push(...ids)
          if (ids.length < limit) break
          // The pages between are as these.
          if (limit < 100 && seen.length === 2 * limit) seen.push(...truth.slice(seen.length, -50))
        }
        expect(seen).toEqual(truth)
      }
      expect(await feedIds(BUSY, { before: truth.at(-1) ?? null, limit: 9 })).toEqual([])
    },
    60_000,
  )
})

const LONG = 3_000
const [READER, WRITER, MUTER] = [1 as UserId, 2 as UserId, 3 as UserId]
const POST = 1 as PostId
const AT = 1_700_000_000_000
const PAGE = 20

describe.skipIf(!testServers.mysql)('a page deep in a long feed of MySQL', () => {
  const AUTHORS = 120
  const POSTS = 12_000
  let database: TestDatabase
  beforeAll(async () => {
    database = await openTestDatabase('mysql')
    const { db } = database
    const times = { created_at: AT, updated_at: AT }
    const users = Array.from({ length: AUTHORS }, (_, n) => person(n))
    await insertAbsent(
      db,
      'users',
      [READER, ...users].map((id) => ({
        id,
        username: `user_${id}`,
        display_name: 'x',
        ...times,
      })),
    )
    const follows = users.map((id, n) => ({
      follower_id: READER,
      followee_id: id,
      id: (1 + n) as FollowId,
      created_at: AT,
    }))
    await insertAbsent(db, 'follows', follows)
    const posts = Array.from({ length: POSTS }, (_, n) => ({
      id: (1 + n) as PostId,
      // One writes as much as all others together.
      author_id: person(n % 2 ? 0 : (n / 2) % AUTHORS),
      text: 'x',
      version: 1,
      edited_at: null,
      ...times,
    }))
    for (const some of chunks(posts, 1_000)) await insertAbsent(db, 'posts', some)
  }, 60_000)
  afterAll(() => database?.[Symbol.asyncDispose]())

  test.each(STATISTICS)(
    'reads as few rows as the first: statistics %s',
    async (statistics) => {
      const { db } = database
      await writeStatistics(db, statistics)
      for (const limit of [21, 200]) {
        const rowsAt = (depth: number) =>
          db.connection().execute(async (connection) => {
            const before = await rowsRead(connection)
            const page = { before: (1 + POSTS - depth) as PostId, limit }
            const ids = await createSqlFeedReads(connection).feedIds(READER, page)
            expect(ids.map(Number)).toEqual(
              Array.from({ length: limit }, (_, n) => POSTS - depth - n),
            )
            return (await rowsRead(connection)) - before
          })
        const first = await rowsAt(0)
        expect(first).toBeLessThan(READS.person * AUTHORS + READS.post * limit)
        for (const depth of [1_000, POSTS / 2, POSTS - 2 * limit]) {
          expect(await rowsAt(depth), `rows of the page at ${depth}`).toBeLessThan(
            first + 2 * limit,
          )
        }
      }
    },
    30_000,
  )
})

describe.skipIf(!testServers.mysql)('a page deep in a long list of MySQL', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await openTestDatabase('mysql')
    await seedLongLists(database.db)
  }, 60_000)
  afterAll(() => database?.[Symbol.asyncDispose]())

  test.each(LISTS)(
    '%s: reads as few rows as the first',
    async (_, read) => {
      const rowsAt = (depth: number | null) =>
        database.db.connection().execute(async (connection) => {
          const before = await rowsRead(connection)
          expect(await read(connection, depth)).toBe(PAGE)
          return (await rowsRead(connection)) - before
        })
      const first = await rowsAt(null)
      for (const depth of [100, LONG / 2, LONG - 2 * PAGE]) {
        expect(await rowsAt(depth), `rows of the page at ${depth}`).toBeLessThan(first + 2 * PAGE)
      }
    },
    30_000,
  )
})

/**
 * Rows that this connection has read so far. What a condition on the index leaves out is passed over all the same, but
 * counted only where the server looks at it, and not the engine.
 */
async function rowsRead(connection: Kysely<Database>): Promise<number> {
  await sql`set session optimizer_switch = 'index_condition_pushdown=off'`.execute(connection)
  const { rows } = await sql<{ Value: string }>`show session status where variable_name in
    ('Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next', 'Handler_read_prev',
     'Handler_read_rnd_next')`.execute(connection)
  return rows.reduce((sum, row) => sum + Number(row.Value), 0)
}
