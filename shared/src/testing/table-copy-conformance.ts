import { expect, test } from 'bun:test'
import { sql } from 'kysely'
import { MOVED_TABLES, STAYING_TABLES } from '../adapters/sql/table-copy'
import { openTestDatabase, type TestDatabase } from './sql-database'

/** What migrations and snapshots keep for themselves; no type says of them. */
const OF_THE_SERVER = [
  'kysely_migration',
  'kysely_migration_lock',
  'capture_snapshots',
  'log_sources',
]

/** The tables as the database has them, with their primary keys. */
async function keysOf({ kind, db }: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const query =
    kind === 'mysql'
      ? sql<{ name: string; column: string }>`
          select c.table_name as name, c.column_name as \`column\`
          from information_schema.key_column_usage c
          where c.table_schema = database() and c.constraint_name = 'PRIMARY'
          order by c.table_name, c.ordinal_position`
      : sql<{ name: string; column: string }>`
          select t.name as name, c.name as "column" from sqlite_master t
          join pragma_table_info(t.name) c where t.type = 'table' and c.pk > 0
          order by t.name, c.pk`
  const { rows } = await query.execute(db)
  const keys = Map.groupBy(rows, ({ name }) => name)
  return new Map([...keys].map(([name, columns]) => [name, columns.map((c) => c.column).join()]))
}

/** Whoever adds a table says whether `move-to-servers` takes it along. */
export function tableCopyConformance(kind: TestDatabase['kind']): void {
  test('every table of the database is moved, by its primary key, or listed as staying', async () => {
    await using database = await openTestDatabase(kind)
    const keys = await keysOf(database)
    expect(keys.size).toBeGreaterThan(20)
    const unknown = [...keys.keys()].filter(
      (name) => !(name in MOVED_TABLES || name in STAYING_TABLES || OF_THE_SERVER.includes(name)),
    )
    expect(unknown).toEqual([])
    for (const [table, columns] of Object.entries(MOVED_TABLES)) {
      expect({ table, key: keys.get(table) }).toEqual({ table, key: columns.join() })
    }
  })
}
