import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import { createPool, type PoolConnection, type RowDataPacket } from 'mysql2'
import { type MonotonicTime, monotonicTime, repeatEvery } from '../../async/sleep'
import type { MysqlSettings } from '../../config/program-settings'
import { storeUnavailable } from '../../errors/sns-error'
import type { Metrics } from '../../observability/metrics'
import { castColumn, PooledConnection } from './connection'
import { mysqlConnectionOptions } from './connection-options'
import { stripMysqlError } from './errors'
import { createOpenConnections } from './open-connections'
import type { MysqlPrimary } from './primary'

/** `poolConnections`: null for a pool beside the one that is reported. */
export type MysqlMetrics = Pick<Metrics, 'storeErrors' | 'storeRetries' | 'poolDiscards'> & {
  readonly poolConnections: Metrics['poolConnections'] | null
}

export interface MysqlPoolDeps {
  readonly metrics: MysqlMetrics | null
  /** Which server connections may lead to; null: whichever answers. */
  readonly primary?: MysqlPrimary | null
  readonly time?: MonotonicTime
  readonly random?: () => number
}

export interface MysqlPoolOptions extends Omit<MysqlSettings, 'kind' | 'echo'> {
  readonly connectTimeoutMs: number
  readonly queryTimeoutMs: number
  /** How long a statement waits for a free connection, and how many may wait. */
  readonly acquireTimeoutMs: number
  readonly queueLimit: number
  /** No connection is used when it is older. */
  readonly maxLifetimeMs: number
}

/** A pool that can be told to throw connections away. */
export interface DiscardingPool extends MysqlPool {
  /** Those to other servers than this one; null: all. What is in flight on them fails. */
  discardOthers(server: string | null): void
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
const SWEEP_MS = 1_000
const END_TIMEOUT_MS = 2_000
/** Each finds a new connection that leads to another server than the primary. */
const STRAYS = 3

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

/** The server that a new connection leads to. */
interface ServerRow {
  readonly server: string
}

/**
 * mysql2's pool in the shape Kysely wants, with every wait bounded. A connection is used for a limited time,
 * closed after a minute in which nobody needs it, and thrown away once its server says that it is no
 * primary. With a `primary`, only connections that lead to it are used.
 */
export function createMysqlPool(
  { metrics, primary = null, time = monotonicTime, random = Math.random }: MysqlPoolDeps,
  options: MysqlPoolOptions,
): DiscardingPool {
  const { acquireTimeoutMs, queryTimeoutMs, maxLifetimeMs } = options
  const ended = new AbortController()
  const open = createOpenConnections(
    { time, random, onDiscard: (reason) => metrics?.poolDiscards.inc({ reason }) },
    { maxLifetimeMs, idleMs: IDLE_MS },
  )
  primary?.onMove((server) => open.discardOthers(server))
  let busy = 0
  let waiting = 0
  // Its own sweeper of idle connections runs only where fewer may be idle than open.
  const pool = createPool({
    ...mysqlConnectionOptions(options),
    connectionLimit: options.poolSize,
    maxIdle: options.poolSize,
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
      open.remove(raw)
      report()
    }
    raw.once('end', forget)
    raw.once('error', forget)
    raw.query(sessionSettings(queryTimeoutMs), (error) => {
      if (error) raw.destroy()
    })
  })
  void repeatEvery(
    async () => {
      open.discardExpired()
      report()
    },
    { intervalMs: SWEEP_MS, signal: ended.signal, time, onError: () => {} },
  )

  function report() {
    metrics?.poolConnections?.set({ state: 'busy' }, busy)
    metrics?.poolConnections?.set({ state: 'idle' }, Math.max(0, open.size - busy))
    metrics?.poolConnections?.set({ state: 'waiting' }, waiting)
  }

  /** A connection of the pool that is not past its time. */
  async function take(): Promise<PoolConnection> {
    for (;;) {
      const raw = await new Promise<PoolConnection>((resolve, reject) => {
        pool.getConnection((error, got) => (error ? reject(error) : resolve(got)))
      })
      if (open.take(raw)) return raw
    }
  }

  /** To which server a connection leads; `isNew` where it had to be asked. */
  async function serverOf(raw: PoolConnection) {
    const known = open.serverOf(raw)
    if (known !== null) return { server: known, isNew: false }
    const server = await new Promise<string>((resolve, reject) => {
      const statement = { sql: 'select @@server_uuid as server', timeout: acquireTimeoutMs }
      raw.query<(ServerRow & RowDataPacket)[]>(statement, (error, rows) => {
        if (rows?.[0]) resolve(rows[0].server)
        else reject(error ?? new Error('the server does not say which it is'))
      })
    })
    open.leadsTo(raw, server)
    return { server, isNew: true }
  }

  /** A connection that leads to the primary, as of the moment at which it is given. */
  async function takeFromPrimary(gate: MysqlPrimary, isWanted: () => boolean) {
    for (let strays = 0; strays < STRAYS && isWanted(); ) {
      if (gate.current() === null) await gate.confirm()
      const raw = await take()
      const { server, isNew } = await serverOf(raw).catch((error: unknown) => {
        raw.destroy()
        throw error
      })
      const wanted = gate.current()
      if (wanted === server) return raw
      if (wanted === null) {
        giveBack(raw)
        continue
      }
      open.discard(raw, 'moved')
      if (!isNew) continue
      strays += 1
      gate.doubt()
    }
    throw new Error('new connections lead to another server than the primary')
  }

  function giveBack(raw: PoolConnection): void {
    open.giveBack(raw)
    raw.release()
  }

  function acquire(callback: (error: unknown, raw: PoolConnection | null) => void): void {
    let isAnswered = false
    waiting++
    const answer = (error: unknown, raw: PoolConnection | null) => {
      clearTimeout(timer)
      if (isAnswered) return raw ? giveBack(raw) : undefined
      isAnswered = true
      waiting--
      if (error) metrics?.storeErrors.inc({ store: 'mysql' })
      callback(error ? storeUnavailable('mysql', stripMysqlError(error)) : null, raw)
    }
    const timer = setTimeout(
      () => answer(new Error(`no connection within ${acquireTimeoutMs} ms`), null),
      acquireTimeoutMs,
    )
    const taking = primary ? takeFromPrimary(primary, () => !isAnswered) : take()
    taking.then(
      (raw) => answer(null, raw),
      (error: unknown) => answer(error, null),
    )
  }

  return {
    getConnection(callback) {
      acquire((error, raw) => {
        if (!raw) return callback(error, NO_CONNECTION)
        busy++
        report()
        const use = new PooledConnection(raw, {
          queryTimeoutMs,
          reconnect: (reconnected) =>
            acquire((failure, another) => {
              if (another) open.usedBy(another, use)
              reconnected(failure, another)
            }),
          onRelease(last) {
            busy--
            giveBack(last)
            report()
          },
          onDemotion(last) {
            open.discard(last, 'refused')
            primary?.doubt()
          },
          onRetry: () => metrics?.storeRetries.inc({ store: 'mysql' }),
          onError: () => metrics?.storeErrors.inc({ store: 'mysql' }),
        })
        open.usedBy(raw, use)
        callback(null, use)
      })
    },
    discardOthers(server) {
      open.discardOthers(server)
      report()
    },
    end(callback) {
      ended.abort()
      // A hung server does not answer QUIT, nor what is in flight.
      const timer = setTimeout(() => {
        open.abandonAll()
        callback(null)
      }, END_TIMEOUT_MS)
      pool.end((error) => {
        clearTimeout(timer)
        callback(error)
      })
    },
  }
}
