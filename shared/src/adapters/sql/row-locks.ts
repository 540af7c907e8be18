import type { SelectQueryBuilder, Transaction } from 'kysely'
import { traitsOf } from './dialect'
import type { Database } from './schema'

/**
 * Keeps the rows from being changed or removed until the transaction ends; others may do the same at the
 * same time. SQLite has one writer: nothing to do.
 */
export function forShare<DB, TB extends keyof DB, Row>(
  tx: Transaction<Database>,
  query: SelectQueryBuilder<DB, TB, Row>,
): SelectQueryBuilder<DB, TB, Row> {
  return traitsOf(tx).kind === 'mysql' ? query.forShare() : query
}

/** Keeps the rows as they were read until the transaction ends. SQLite has one writer: nothing to do. */
export function forUpdate<DB, TB extends keyof DB, Row>(
  tx: Transaction<Database>,
  query: SelectQueryBuilder<DB, TB, Row>,
): SelectQueryBuilder<DB, TB, Row> {
  return traitsOf(tx).kind === 'mysql' ? query.forUpdate() : query
}
