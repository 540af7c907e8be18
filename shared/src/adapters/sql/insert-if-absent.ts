import type { Insertable } from 'kysely'
import { type Queryable, traitsOf } from './dialect'
import type { Database } from './schema'

/** Inserts the row unless one with its key is there; true where it was inserted. */
export async function insertIfAbsent<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  row: Insertable<Database[Table]>,
): Promise<boolean> {
  return (await insertAbsent(db, table, [row])) > 0
}

/**
 * Inserts the rows whose keys are not there yet; how many those were. MySQL's way (`insert ignore`)
 * also swallows values that do not fit, so callers give only values they made or checked.
 */
export async function insertAbsent<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  rows: readonly Insertable<Database[Table]>[],
): Promise<number> {
  const insert = db.insertInto(table).values(rows)
  const { numInsertedOrUpdatedRows } = await (traitsOf(db).kind === 'mysql'
    ? insert.ignore()
    : insert.onConflict((conflict) => conflict.doNothing())
  ).executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows ?? 0n)
}
