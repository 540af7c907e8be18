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

/**
 * Whether the key of a row is below another, in the order of its two columns. Written out, as MySQL makes no range of
 * an index of `(a, b) < (?, ?)`: it would pass over every row above. The first bound is where SQLite begins.
 *
 *     query.where(isBelowKey(['likes.created_at', 'likes.user_id'], [before.at, before.user]))
 */
export function isBelowKey(
  columns: readonly [string, string],
  [first, second]: readonly [number, number],
): Expression<SqlBool> {
  const [a, b] = columns.map((column) => sql.ref(column))
  return sql<SqlBool>`(${a} <= ${first} and (${a} < ${first} or (${a} = ${first} and ${b} < ${second})))`
}
