import { type Kysely, sql } from 'kysely'
import type { Database } from '../adapters/sql/schema'

/** What the optimizer is made to believe of every table. */
export type Statistics = 'right' | 'none' | 'thirty rows of one value' | 'many rows, all different'

/** Writes the statistics of every table of a test's database by hand; MySQL does not count the rows again by itself. */
export async function writeStatistics(db: Kysely<Database>, statistics: Statistics): Promise<void> {
  const { rows } = await sql<{ name: string }>`select table_name as name
      from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'`.execute(
    db,
  )
  for (const { name } of rows) {
    await sql`alter table ${sql.table(name)} stats_auto_recalc = 0`.execute(db)
    await sql`analyze table ${sql.table(name)}`.execute(db)
  }
  if (statistics !== 'right') {
    const [count, different] = (
      {
        none: [0, 0],
        'thirty rows of one value': [30, 1],
        'many rows, all different': [1e8, 1e8],
      } as const
    )[statistics]
    await sql`update mysql.innodb_table_stats set n_rows = ${count}, clustered_index_size = ${1 + count / 100},
        sum_of_other_index_sizes = ${1 + count / 100} where database_name = database()`.execute(db)
    await sql`update mysql.innodb_index_stats set stat_value = ${different}
        where database_name = database() and stat_name like 'n_diff%'`.execute(db)
    await sql`update mysql.innodb_index_stats set stat_value = ${1 + count / 100}
        where database_name = database() and stat_name in ('size', 'n_leaf_pages')`.execute(db)
  }
  for (const { name } of rows) await sql`flush table ${sql.table(name)}`.execute(db)
}
