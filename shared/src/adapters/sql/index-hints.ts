import {
  type AliasedRawBuilder,
  type Expression,
  type ExpressionBuilder,
  expressionBuilder,
  type Selectable,
  type SqlBool,
  sql,
} from 'kysely'
import type { Queryable } from './database'
import type { Database } from './schema'

type Table = keyof Database

/**
 * A table that MySQL reads by one index, whatever it believes of the rows: its statistics trail them, and right
 * after an import they are those of an empty table. `PRIMARY` is the primary key.
 *
 *     db.selectFrom(byIndex('posts', 'posts_author_id')).where('posts.author_id', '=', author)
 *
 * SQLite takes the hint for a comment: it keeps no statistics (see `openSqliteDatabase`), so its plans depend on the
 * query alone.
 */
export function byIndex<T extends Table, Alias extends string = T>(
  table: T,
  index: string,
  alias: Alias = table as string as Alias,
): AliasedRawBuilder<Selectable<Database[T]>, Alias> {
  return sql<Selectable<Database[T]>>`${sql.table(table)}`.as<Alias>(
    sql`${sql.id(alias)} /*! force index (${sql.id(index)}) */`,
  )
}

/**
 * Deletes the rows of a table that `index` finds: how many there were. MySQL takes a hint of a `delete` only before
 * the table.
 */
export async function deleteByIndex<T extends Table>(
  db: Queryable,
  table: T,
  index: string,
  where: (eb: ExpressionBuilder<Database, T>) => Expression<SqlBool>,
): Promise<number> {
  const { numAffectedRows } = await sql`delete /*+ index(${sql.id(table)} ${sql.id(index)}) */
    from ${sql.table(table)} where ${where(expressionBuilder<Database, T>())}`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * For `modifyFront` of a select that joins by `crossJoin`: MySQL then joins the tables in the order in which they are
 * named, as SQLite does unasked.
 */
export const IN_ORDER = sql`/*! straight_join */`

/**
 * To be selected beside what is wanted, of tables whose index would hold all of it: an index that answers a query
 * alone MySQL may read from end to end, even the one that it was told to use, where it believes that the table is
 * small. No index holds this column (those that order a list by time aside).
 */
export const NOT_IN_INDEX = 'created_at'
