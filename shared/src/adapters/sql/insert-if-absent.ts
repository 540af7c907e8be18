import type { Insertable } from 'kysely'
import { type Queryable, traitsOf } from './dialect'
import type { Database } from './schema'

/**
 * Inserts the row unless one with its key is there; true where it was inserted. MySQL's way (`insert
 * ignore`) also swallows values that do not fit, so callers give only values they made or checked.
 */
export async function insertIfAbsent<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  row: Insertable<Database[Table]>,
): Promise<boolean> {
  const insert = db.insertInto(table).values(row)
  const { numInsertedOrUpdatedRows } = await (traitsOf(db).kind === 'mysql'
    ? insert.ignore()
    : insert.onConflict((conflict) => conflict.doNothing())
  ).executeTakeFirstOrThrow()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}
