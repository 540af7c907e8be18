import { type Kysely, sql } from 'kysely'
import type { Database } from '../sql/schema'
import { assertServerVariables, SERVER_VARIABLES_SQL } from './server-requirements'

/** Refuses, with an `OperatorError`, a server that capture could not read: before any table is made. */
export async function checkServer(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql
    .raw<{ Variable_name: string; Value: string }>(SERVER_VARIABLES_SQL)
    .execute(db)
  assertServerVariables(new Map(rows.map((row) => [row.Variable_name, row.Value])))
}
