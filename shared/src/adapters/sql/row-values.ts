import { type Expression, type SqlBool, sql } from 'kysely'
import { type Queryable, traitsOf } from './database'

/**
 * Whether the columns hold one of `rows`, which are not empty. Both databases look each up by an index that begins with
 * the columns.
 */
export function isOneOf(
  db: Queryable,
  columns: readonly string[],
  rows: readonly (readonly number[])[],
): Expression<SqlBool> {
  const left = sql.join(columns.map((column) => sql.ref(column)))
  const right = sql.join(rows.map((row) => sql`(${sql.join(row)})`))
  return traitsOf(db).kind === 'mysql'
    ? sql<SqlBool>`(${left}) in (${right})`
    : sql<SqlBool>`(${left}) in (values ${right})`
}
