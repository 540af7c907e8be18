import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import { createPool, type PoolConnection } from 'mysql2'
import type { MysqlSettings } from '../../config/settings'
import { storeUnavailable } from '../../errors/sns-error'
import type { Metrics } from '../../observability/metrics'
import { castColumn, PooledConnection } from './connection'
import { mysqlConnectionOptions } from './connection-options'
import { stripMysqlError } from './errors'

/** `poolConnections`: null for a pool beside the one that is reported. */
export type MysqlMetrics = Pick<Metrics, 'storeErrors' | 'storeRetries'> & {
  readonly poolConnections: Metrics['poolConnections'] | null
}

export interface MysqlPoolDeps {
  readonly metrics: MysqlMetrics | null
}

export interface MysqlPoolOptions extends Omit<MysqlSettings, 'kind' | 'echo'> {
  readonly connectTimeoutMs: number
  readonly queryTimeoutMs: number
  /** How long a statement waits for a free connection, and how many may wait. */
  readonly acquireTimeoutMs: number
  readonly queueLimit: number
}

/** What a callback gets beside an error, which Kysely does not look at. */
const NO_CONNECTION: MysqlPoolConnection = {
  config: {},
  threadId: 0,
  connect() {},
  destroy() {},
  release() {},
  query: () => ({ stream: () => (async function* () {})() }),
}

const LOCK_WAIT_SECONDS = 5
const IDLE_MS = 60_000
const END_TIMEOUT_MS = 2_000

/**
 * READ COMMITTED: our transactions take row locks before they decide, and must then see what the
 * transactions that held those locks before them committed, not a snapshot from before the wait.
 * Without gap locks, concurrent inserts and deletes beside one another do not deadlock either. The
 * sql_mode is stated because mysql2 escapes with backslashes and truncated values must be errors.
 */
function sessionSettings(queryTimeoutMs: number): string {
  return [
    `set session transaction_isolation = 'READ-COMMITTED'`,
    `sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'`,
    `innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
    `max_execution_time = ${queryTimeoutMs}`,
  ].join(', ')
}

/** mysql2's pool in the shape Kysely wants, with every wait bounded. */
export function createMysqlPool({ metrics }: MysqlPoolDeps, options: MysqlPoolOptions): MysqlPool {
  const { acquireTimeoutMs, queryTimeoutMs } = options
  const open = new Set<PoolConnection>()
  let busy = 0
  let waiting = 0
  const pool = createPool({
    ...mysqlConnectionOptions(options),
    connectionLimit: options.poolSize,
    maxIdle: options.poolSize,
    idleTimeout: IDLE_MS,
    queueLimit: options.queueLimit,
    connectTimeout: options.connectTimeoutMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    decimalNumbers: true,
    typeCast: castColumn,
  })
  pool.on('connection', (raw) => {
    open.add(raw)
    const forget = () => {
      open.delete(raw)
      report()
    }
    raw.once('end', forget)
    raw.once('error', forget)
    raw.query(sessionSettings(queryTimeoutMs), (error) => {
      if (error) raw.destroy()
    })
  })

  function report() {
    metrics?.poolConnections?.set({ state: 'busy' }, busy)
    metrics?.poolConnections?.set({ state: 'idle' }, Math.max(0, open.size - busy))
    metrics?.poolConnections?.set({ state: 'waiting' }, waiting)
  }

  function acquire(callback: (error: unknown, raw: PoolConnection | null) => void): void {
    let isAnswered = false
    waiting++
    const answer = (error: unknown, raw: PoolConnection | null) => {
      clearTimeout(timer)
      if (isAnswered) return raw?.release()
      isAnswered = true
      waiting--
      if (error) metrics?.storeErrors.inc({ store: 'mysql' })
      callback(error ? storeUnavailable('mysql', stripMysqlError(error)) : null, raw)
    }
    const timer = setTimeout(
      () => answer(new Error(`no connection within ${acquireTimeoutMs} ms`), null),
      acquireTimeoutMs,
    )
    pool.getConnection((error, raw) => answer(error, error ? null : raw))
  }

  return {
    getConnection(callback) {
      acquire((error, raw) => {
        if (!raw) return callback(error, NO_CONNECTION)
        busy++
        report()
        callback(
          null,
          new PooledConnection(raw, {
            queryTimeoutMs,
            reconnect: acquire,
            onRelease() {
              busy--
              report()
            },
            onRetry: () => metrics?.storeRetries.inc({ store: 'mysql' }),
            onError: () => metrics?.storeErrors.inc({ store: 'mysql' }),
          }),
        )
      })
    },
    end(callback) {
      // A hung server does not answer QUIT.
      const timer = setTimeout(() => {
        for (const raw of open) raw.destroy()
        callback(null)
      }, END_TIMEOUT_MS)
      pool.end((error) => {
        clearTimeout(timer)
        callback(error)
      })
    },
  }
}
