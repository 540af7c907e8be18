import { type Kysely, type LogEvent, sql, type Transaction } from 'kysely'
import { type BackoffOptions, backoffMs } from '../../async/retry'
import { storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { HealthCheck } from '../../ports/health'
import type { Database } from './schema'

/** A connection or a transaction: whatever queries are built on. */
export type Queryable = Kysely<Database> | Transaction<Database>

/**
 * What the one query code must know of the database underneath. Each driver's Kysely adapter carries
 * it, so that a `Kysely` instance is all that the stores take.
 */
export interface SqlTraits {
  readonly kind: 'mysql' | 'sqlite'
  /** The transaction was rolled back for no fault of its own and may be run again. */
  isTransient(error: unknown): boolean
  /** The unique index that refused a row, `PRIMARY` for a primary key; null for other errors. */
  duplicateIndex(error: unknown): string | null
  /** Told of every transaction that is run again, for the metrics. */
  onRetry(error: unknown): void
}

export function traitsOf(db: Queryable): SqlTraits {
  const adapter: unknown = db.getExecutor().adapter
  if (!isSqlTraits(adapter)) throw new TypeError('this Kysely was not made by one of our dialects')
  return adapter
}

function isSqlTraits(value: unknown): value is SqlTraits {
  return typeof value === 'object' && value !== null && 'kind' in value && 'duplicateIndex' in value
}

/** Whether the database answers `select 1`. */
export function createSqlHealthCheck(db: Kysely<Database>): HealthCheck {
  return {
    name: traitsOf(db).kind,
    async check() {
      await sql`select 1`.execute(db)
    },
  }
}

/** Told of every statement that has run. */
export type StatementListener = (event: LogEvent) => void

/** Logs every statement. Parameters stay out: they hold what people wrote. */
export function echoTo(logger: Pick<Logger, 'info'>): StatementListener {
  return (event) => {
    const ms = Math.round(event.queryDurationMillis * 1000) / 1000
    const failed = event.level === 'error'
    logger.info({ sql: event.query.sql, ms, failed }, 'sql')
  }
}

const ATTEMPTS = 6
const BACKOFF: BackoffOptions = { baseMs: 20, capMs: 1_000 }

/**
 * Runs `work` in one transaction, again from the start where the database rolled it back for no fault
 * of its own (a deadlock, a lock wait), with full jitter. So `work` must do nothing but query `tx`.
 */
export async function transact<T>(
  db: Kysely<Database>,
  work: (tx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  const traits = traitsOf(db)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (!traits.isTransient(error)) throw error
      if (attempt === ATTEMPTS) throw storeUnavailable(traits.kind, error)
      traits.onRetry(error)
      await Bun.sleep(backoffMs(attempt, BACKOFF))
    }
  }
}
