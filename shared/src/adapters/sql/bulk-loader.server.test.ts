import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { systemClock } from '../../domain/clock'
import { bulkLoaderConformance } from '../../testing/bulk-loader-conformance'
import { testServers } from '../../testing/servers'
import { openTestDatabase, openTestStores } from '../../testing/sql-database'
import { seedStores } from '../../testing/store-calls'
import { createSqlBulkLoader } from './bulk-loader'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  bulkLoaderConformance(async () => {
    const stores = await openTestStores('mysql')
    return { ...stores, loader: createSqlBulkLoader(stores.database.db, { clock: systemClock }) }
  })

  test('has MySQL count the rows anew at the end', async () => {
    await using database = await openTestDatabase('mysql')
    const { db } = database
    const loader = createSqlBulkLoader(db, { clock: systemClock })
    const believed = async () => {
      const { rows } = await sql<{ name: string; believed: number }>`
        select table_name as name, n_rows as believed from mysql.innodb_table_stats
        where database_name = database()`.execute(db)
      return new Map(rows.map((row) => [row.name, Number(row.believed)]))
    }
    await sql`alter table users stats_auto_recalc = 0`.execute(db)
    await sql`alter table posts stats_auto_recalc = 0`.execute(db)
    await seedStores(db)
    expect((await believed()).get('posts')).toBe(0)
    await loader.refreshStatistics()
    expect((await believed()).get('posts')).toBeGreaterThan(3_000)
    expect((await believed()).get('users')).toBeGreaterThan(300)
  }, 60_000)
})
