import { describe, expect, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import type { PostId } from '../../domain/id'
import { type Statistics, writeStatistics } from '../../testing/mysql-statistics'
import { testServers } from '../../testing/servers'
import { openTestDatabase } from '../../testing/sql-database'
import { BUSY, seedStores } from '../../testing/store-calls'
import { createSqlFeedReads } from './post-store'
import type { Database } from './schema'

const STATISTICS: readonly Statistics[] = [
  'right',
  'none',
  'thirty rows of one value',
  'many rows, all different',
]
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

/** Rows that this connection has read so far. */
async function rowsRead(connection: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ Value: string }>`show session status where variable_name in
    ('Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next', 'Handler_read_prev',
     'Handler_read_rnd_next')`.execute(connection)
  return rows.reduce((sum, row) => sum + Number(row.Value), 0)
}
