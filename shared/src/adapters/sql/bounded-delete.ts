import { type Kysely, type RawBuilder, sql } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import { type Queryable, traitsOf, transact } from './database'
import type { Database } from './schema'

export interface RowsToDelete {
  readonly table: keyof Database
  readonly primaryKey: readonly string[]
  readonly where: RawBuilder<unknown>
  /** By which they are found, whatever the table's statistics say. */
  readonly index: string
}

/** Rows that a transaction deletes at most: locks last milliseconds, and a reader of the log gets transactions of bounded size. */
export const DELETE_CHUNK = 500

/** Deletes at most `limit` of the rows, in one statement; how many it deleted. */
export async function deleteSome(
  db: Queryable,
  { table, primaryKey, where, index }: RowsToDelete,
  limit: number,
): Promise<number> {
  const [from, most, by] = [sql.table(table), sql.lit(limit), sql.ref(index)]
  if (traitsOf(db).kind === 'mysql') {
    const hint = sql.raw(`/*+ INDEX(\`${table}\` \`${index}\`) */`)
    const { numAffectedRows } =
      await sql`delete ${hint} from ${from} where ${where} limit ${most}`.execute(db)
    return Number(numAffectedRows ?? 0n)
  }
  const key = sql.join(primaryKey.map((column) => sql.ref(column)))
  const { numAffectedRows } = await sql`delete from ${from} where (${key}) in (
    select ${key} from ${from} indexed by ${by} where ${where} limit ${most})`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** Deletes all of the rows, a chunk a transaction. Stopped or killed, what it deleted stays deleted. */
export async function deleteInChunks(
  db: Kysely<Database>,
  rows: RowsToDelete,
  chunk = DELETE_CHUNK,
): Promise<void> {
  while ((await transact(db, (tx) => deleteSome(tx, rows, chunk))) === chunk) {
    await yieldToEventLoop()
  }
}
