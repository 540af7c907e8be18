import { type Dialect, Kysely, MysqlAdapter, MysqlDialect, type MysqlPool, sql } from 'kysely'
import type { MysqlSettings } from '../../config/settings'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError } from '../../errors/sns-error'
import type { SqlTraits, StatementListener } from '../sql/database'
import type { Database } from '../sql/schema'
import { detailsOf, ER, isTransientMysqlError, mysqlDuplicateIndex } from './errors'
import { createMysqlPool, type MysqlMetrics } from './pool'

export interface MysqlDatabaseOptions {
  readonly metrics?: MysqlMetrics | null
  /** Such as `echoTo(logger)`. */
  readonly onStatement?: StatementListener | null
  readonly connectTimeoutMs?: number
  /** The longest a statement may run; 0 for no end. DDL is never cut off. */
  readonly queryTimeoutMs?: number
  readonly acquireTimeoutMs?: number
  readonly queueLimit?: number
}

export interface MysqlDatabase extends AsyncDisposable {
  readonly db: Kysely<Database>
}

/**
 * Connects once, so that a wrong setting is an `OperatorError` of one line now; later outages are
 * `store_unavailable`. Does not look at the tables: see `assertMigrated`.
 */
export async function connectMysql(
  settings: MysqlSettings,
  options: MysqlDatabaseOptions = {},
): Promise<MysqlDatabase> {
  const { metrics = null, onStatement = null } = options
  const pool = createMysqlPool(
    { metrics },
    {
      ...settings,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      queryTimeoutMs: options.queryTimeoutMs ?? 15_000,
      acquireTimeoutMs: options.acquireTimeoutMs ?? 5_000,
      queueLimit: options.queueLimit ?? 5_000,
    },
  )
  const db = new Kysely<Database>({
    dialect: createMysqlDialect(pool, () => metrics?.storeRetries.inc({ store: 'mysql' })),
    ...(onStatement && { log: onStatement }),
  })
  try {
    await sql`select 1`.execute(db)
  } catch (error) {
    await db.destroy().catch(() => {})
    throw explainConnectError(settings, error)
  }
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy()
    },
  }
}

/** Kysely's MySQL dialect, carrying what the one query code must know of MySQL. */
function createMysqlDialect(pool: MysqlPool, onRetry: () => void): Dialect {
  const dialect = new MysqlDialect({ pool })
  return {
    createAdapter: () => new MysqlTraitsAdapter(onRetry),
    createDriver: () => dialect.createDriver(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  }
}

class MysqlTraitsAdapter extends MysqlAdapter implements SqlTraits {
  readonly kind = 'mysql'

  constructor(readonly onRetry: () => void) {
    super()
  }

  isTransient(error: unknown): boolean {
    return isTransientMysqlError(error)
  }

  duplicateIndex(error: unknown): string | null {
    return mysqlDuplicateIndex(error)
  }
}

/** What the operator must fix, from the error of a first connection. */
function explainConnectError(
  { host, port, user, database }: Omit<MysqlSettings, 'password'>,
  error: unknown,
): OperatorError {
  const cause = isSnsError(error) ? error.cause : error
  const { code = '', errno = null, message = String(cause) } = detailsOf(cause) ?? {}
  const explanations: Readonly<Record<number, string>> = {
    [ER.ACCESS_DENIED_ERROR]: `MySQL at ${host}:${port} refuses the user or password of ${user}`,
    [ER.DBACCESS_DENIED_ERROR]: `the MySQL user ${user} may not use the database ${database}; grant it or name another`,
    [ER.BAD_DB_ERROR]: `MySQL at ${host}:${port} has no database ${database}; create it or name another`,
  }
  const what =
    explanations[errno ?? 0] ??
    `MySQL at ${host}:${port} cannot be reached (${code || message}); start it or correct the address`
  return new OperatorError(`DATABASE_URL: ${what}`, 1, { cause })
}
