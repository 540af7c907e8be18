import { expect, test } from 'bun:test'
import { sql } from 'kysely'
import { systemClock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import { parseSearchQuery } from '../../domain/search-query'
import type { PostSearch, SearchKey } from '../../ports/search-index'
import { createManualClock } from '../../testing/manual-clock'
import { searchIndexConformance } from '../../testing/search-index-conformance'
import { openSqliteDatabase } from './database'
import { createSqliteSearchIndex } from './search-index'
import { migrateSqliteSearch, TOMBSTONE_TTL_MS } from './search-tables'

searchIndexConformance('SqliteSearchIndex', {
  exact: true,
  runs: 100,
  async open() {
    const { db } = await openSqliteDatabase({ path: ':memory:' })
    await migrateSqliteSearch({ db, clock: systemClock })
    return {
      index: createSqliteSearchIndex({ db, clock: systemClock }),
      [Symbol.asyncDispose]: () => db.destroy(),
    }
  },
})

const search = {
  authorId: null,
  since: null,
  until: null,
  excludeAuthors: [],
  after: null,
  limit: 9,
}
const document = { kind: 'post', id: 1 as PostId, authorId: 2 as UserId, createdAt: 0 } as const

test('terms of another version are made anew', async () => {
  const { db } = await openSqliteDatabase({ path: ':memory:' })
  await migrateSqliteSearch({ db, clock: systemClock })
  const index = createSqliteSearchIndex({ db, clock: systemClock })
  const removed = { op: 'delete', kind: 'post', id: 3, version: 1n } as const
  await index.apply([
    { op: 'index', version: 1n, document: { ...document, text: '영화를' } },
    removed,
  ])
  await sql`insert into search_post_terms(search_post_terms) values ('delete-all')`.execute(db)
  await sql`update search_meta set value = 0`.execute(db)
  expect(await index.searchPosts({ ...search, query: parseSearchQuery('영화') })).toEqual([])
  await migrateSqliteSearch({ db, clock: systemClock })
  expect(await index.searchPosts({ ...search, query: parseSearchQuery('영화') })).toMatchObject([
    { id: 1 },
  ])
  await db.destroy()
})

test('of many matches the newest are ranked, and the older ones follow to the end', async () => {
  const { db } = await openSqliteDatabase({ path: ':memory:' })
  await migrateSqliteSearch({ db, clock: systemClock })
  const index = createSqliteSearchIndex({ db, clock: systemClock }, { rankedMatches: 4 })
  // Among the newest four, the shortest text is the most relevant.
  const texts = ['word', 'word', 'word and more', 'word', 'word and more', 'word and', 'word']
  await index.apply(
    texts.map((text, n) => ({
      op: 'index',
      version: 1n,
      document: { ...document, id: (n + 1) as PostId, authorId: (n % 2) as UserId, text },
    })),
  )
  const pages = async (limit: number, filter: Partial<PostSearch> = {}) => {
    const ids: number[] = []
    for (let after: SearchKey | null = null; ; ) {
      const hits = await index.searchPosts({
        ...search,
        ...filter,
        query: parseSearchQuery('word'),
        after,
        limit,
      })
      ids.push(...hits.map(({ id }) => id))
      if (hits.length < limit) return ids
      const { score = 0, id = 0 } = hits.at(-1) ?? {}
      after = { score, id }
    }
  }
  for (const limit of [1, 2, 3, 4, 5, 7, 8]) {
    expect(await pages(limit)).toEqual([7, 4, 6, 5, 3, 2, 1])
  }
  expect(await pages(2, { authorId: 1 as UserId })).toEqual([4, 2, 6])
  expect(await pages(1, { excludeAuthors: [1 as UserId] })).toEqual([7, 1, 5, 3])
  await db.destroy()
})

test('tombstones are forgotten when nothing older can come any more', async () => {
  const { db } = await openSqliteDatabase({ path: ':memory:' })
  const clock = createManualClock()
  await migrateSqliteSearch({ db, clock })
  const index = createSqliteSearchIndex({ db, clock })
  await index.apply([
    { op: 'delete', kind: 'post', id: 1, version: 9n },
    { op: 'delete', kind: 'user', id: 1, version: 9n },
  ])
  const left = async () =>
    (await sql`select id from search_posts union all select id from search_users`.execute(db)).rows
  clock.advance(TOMBSTONE_TTL_MS)
  await migrateSqliteSearch({ db, clock })
  expect(await left()).toHaveLength(2)
  clock.advance(1)
  await migrateSqliteSearch({ db, clock })
  expect(await left()).toHaveLength(0)
  await db.destroy()
})
