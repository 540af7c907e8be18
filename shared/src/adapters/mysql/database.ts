import { type Dialect, Kysely, MysqlAdapter, MysqlDialect, type MysqlPool, sql } from 'kysely'
import { type MonotonicTime, monotonicTime } from '../../async/sleep'
import type { MysqlTls } from '../../config/mysql-tls'
import type { MysqlSettings } from '../../config/program-settings'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError, storeUnavailable } from '../../errors/sns-error'
import type { HealthCheck } from '../../ports/health'
import type { SqlTraits, StatementListener } from '../sql/database'
import { IS_READ_ONLY } from '../sql/read-only'
import type { Database } from '../sql/schema'
import { detailsOf, ER, isTransientMysqlError, mysqlDuplicateIndex } from './errors'
import { createMysqlPool, type MysqlMetrics } from './pool'
import type { MysqlPrimary } from './primary'

export interface MysqlDatabaseOptions {
  /** The setting that an error of the first connection names. */
  readonly setting?: 'DATABASE_URL' | 'DATABASE_READ_URLS'
  readonly metrics?: MysqlMetrics | null
  /** Such as `echoTo(logger)`. */
  readonly onStatement?: StatementListener | null
  readonly connectTimeoutMs?: number
  /** The longest a statement may run; 0 for no end. DDL is never cut off. */
  readonly queryTimeoutMs?: number
  readonly acquireTimeoutMs?: number
  readonly queueLimit?: number
  /** The longest that a connection is used; the default is ten minutes. */
  readonly maxLifetimeMs?: number
  /** Which server connections may lead to; null: whichever answers. */
  readonly primary?: MysqlPrimary | null
  readonly time?: MonotonicTime
}

export interface MysqlDatabase extends AsyncDisposable {
  readonly db: Kysely<Database>
  /** Throws away connections to other servers than this one (null: all); what is in flight on them fails. */
  discardOthers(server: string | null): void
}

const MAX_LIFETIME_MS = 10 * 60_000

/**
 * Connects once, so that a wrong setting is an `OperatorError` of one line now; later outages are
 * `store_unavailable`. Does not look at the tables: see `assertMigrated`.
 */
export async function connectMysql(
  settings: MysqlSettings,
  options: MysqlDatabaseOptions = {},
): Promise<MysqlDatabase> {
  const { metrics = null, onStatement = null, primary = null, time = monotonicTime } = options
  const pool = createMysqlPool(
    { metrics, primary, time },
    {
      ...settings,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      queryTimeoutMs: options.queryTimeoutMs ?? 15_000,
      acquireTimeoutMs: options.acquireTimeoutMs ?? 5_000,
      queueLimit: options.queueLimit ?? 5_000,
      maxLifetimeMs: options.maxLifetimeMs ?? MAX_LIFETIME_MS,
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
    throw explainConnectError(options.setting ?? 'DATABASE_URL', settings, error)
  }
  return {
    db,
    discardOthers: pool.discardOthers,
    async [Symbol.asyncDispose]() {
      await db.destroy()
    },
  }
}

/** Whether MySQL answers and takes writes: a server that was demoted answers, and is read-only. */
export function createMysqlHealthCheck(db: Kysely<Database>): HealthCheck {
  return {
    name: 'mysql',
    async check() {
      const { rows } = await sql<{ isReadOnly: number }>`
        select ${sql.raw(IS_READ_ONLY)} as isReadOnly
      `.execute(db)
      if (Number(rows[0]?.isReadOnly) !== 0) {
        throw storeUnavailable('mysql', new Error('the server is read-only'))
      }
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
  setting: string,
  { host, port, user, database, tls }: Omit<MysqlSettings, 'password'>,
  error: unknown,
): OperatorError {
  const cause = isSnsError(error) ? error.cause : error
  const { code = '', errno = null, message = String(cause) } = detailsOf(cause) ?? {}
  const explanations: Readonly<Record<number, string>> = {
    [ER.ACCESS_DENIED_ERROR]: `MySQL at ${host}:${port} refuses the user or password of ${user}`,
    [ER.DBACCESS_DENIED_ERROR]: `the MySQL user ${user} may not use the database ${database}; grant it or name another`,
    [ER.BAD_DB_ERROR]: `MySQL at ${host}:${port} has no database ${database}; create it or name another`,
    [ER.SECURE_TRANSPORT_REQUIRED]: `MySQL at ${host}:${port} demands an encrypted connection; add ?ssl-mode=verify_identity&ssl-ca=FILE`,
  }
  const what =
    explanations[errno ?? 0] ??
    explainTlsError({ code, message, host, port, mode: tls?.mode }) ??
    `MySQL at ${host}:${port} cannot be reached (${code || message}); start it or correct the address`
  return new OperatorError(`${setting}: ${what}`, 1, { cause })
}

/** Null: it was not the encryption that failed. */
function explainTlsError({
  code,
  message,
  host,
  port,
  mode,
}: {
  readonly code: string
  readonly message: string
  readonly host: string
  readonly port: number
  readonly mode: MysqlTls['mode'] | undefined
}): string | null {
  switch (code) {
    case 'HANDSHAKE_NO_SSL_SUPPORT':
      return `MySQL at ${host}:${port} offers no encryption, and ssl-mode is ${mode}; configure its certificate`
    case 'HANDSHAKE_SSL_ERROR':
      return `the certificate of MySQL at ${host}:${port} is not accepted (${message}); correct ssl-ca or ssl-mode`
    default:
      return null
  }
}
