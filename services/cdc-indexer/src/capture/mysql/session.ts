import { mysqlConnectionOptions } from '@sns/shared/adapters/mysql/connection-options'
import {
  connectionAbandoned,
  ER,
  isConnectionSpent,
  stripMysqlError,
} from '@sns/shared/adapters/mysql/errors'
import type { MysqlAddress } from '@sns/shared/config/database-url'
import { SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise'
import { toCaptureError } from './errors'

/** Where MySQL is, as whom, and how encrypted. */
export type MysqlServer = Omit<MysqlAddress, 'kind'>

export type SessionRow = Readonly<Record<string, unknown>>

/**
 * One connection outside the pool, opened when first asked and again after it broke. Queries run one
 * after another, each with a timeout; a session never retries by itself.
 *
 * Errors: `store_unavailable`, `OperatorError`, or the server's own error for a statement it refused.
 */
export interface MysqlSession extends AsyncDisposable {
  query(sql: string, values?: readonly SqlValue[], timeoutMs?: number): Promise<SessionRow[]>
  /** Rows matched. */
  update(sql: string, values?: readonly SqlValue[], timeoutMs?: number): Promise<number>
  /** The same of a statement that is a transaction of its own, and the GTID of that; null where nothing was written. */
  commit(sql: string, values?: readonly SqlValue[]): Promise<Committed>
  /** From now on its connections are to this server (its `server_uuid`); where another one answers, nothing is asked of it. */
  use(serverId: string): void
  /** Drops the connection at once; whatever it held on the server goes with it. */
  destroy(): void
}

export interface Committed {
  readonly matched: number
  readonly gtid: string | null
}

export type SqlValue = string | number | null

export interface MysqlSessionOptions {
  readonly timeoutMs?: number
  /**
   * Told when the connection breaks. With it the session opens no other connection, as the locks of the
   * first are gone.
   */
  readonly onLost?: () => void
}

/**
 * What the server's own settings would change in what a statement means, and in how a value is written: the zone of
 * TIMESTAMPs, blanks behind a CHAR, quotes and backslashes, how many rows come, and whether they are committed.
 */
const SESSION_SETTINGS = `SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES',
  transaction_isolation = 'REPEATABLE-READ', autocommit = ON, sql_select_limit = DEFAULT, sql_safe_updates = OFF`

export const MYSQL_CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 5_000
/** Which server a connection leads to. */
export const SERVER_SQL = 'SELECT @@GLOBAL.server_uuid AS id'

export function createMysqlSession(
  server: MysqlServer,
  { timeoutMs = QUERY_TIMEOUT_MS, onLost }: MysqlSessionOptions = {},
): MysqlSession {
  let open: Promise<Connection> | null = null
  let current: Connection | null = null
  let last: Promise<unknown> = Promise.resolve()
  let isLost = false
  /** Fails the statement in flight: mysql2 answers none whose connection was destroyed or ended. */
  let abandon: () => void = () => {}
  /** Raised with each connection that is given up, the one being opened included. */
  let given = 0
  let isTracking = false
  /** The server that it must be. */
  let wanted: string | null = null
  /** The server that the open connection leads to. */
  let found: string | null = null

  async function connect(): Promise<Connection> {
    const at = given
    const connection = await mysql.createConnection({
      ...mysqlConnectionOptions(server),
      connectTimeout: MYSQL_CONNECT_TIMEOUT_MS,
      enableKeepAlive: true,
      charset: 'utf8mb4',
      timezone: 'Z',
      supportBigNumbers: true,
    })
    if (at !== given) {
      connection.destroy()
      throw connectionAbandoned()
    }
    current = connection
    const lost = () => {
      if (current === connection) lose()
    }
    connection.on('error', lost)
    connection.on('end', lost)
    isTracking = false
    found = null
    try {
      await connection.query({ sql: SESSION_SETTINGS, timeout: timeoutMs })
    } catch (error) {
      // Without them the next statement would not mean the same.
      destroy()
      throw error
    }
    return connection
  }

  /** The connection, once it is known to lead to the server that is wanted. */
  async function connectionInUse(): Promise<Connection> {
    open ??= connect()
    const connection = await open
    if (wanted === null || found === wanted) return connection
    const [rows] = await connection.query<RowDataPacket[]>({ sql: SERVER_SQL, timeout: timeoutMs })
    found = textCell(rows[0], 'id').toLowerCase()
    if (found === wanted) return connection
    destroy()
    throw storeUnavailable(
      'mysql',
      new Error(`${found} answers, and not ${wanted}: another server has taken over`),
    )
  }

  function lose() {
    destroy()
    if (!onLost || isLost) return
    isLost = true
    onLost()
  }

  function destroy() {
    const connection = current
    given += 1
    current = null
    open = null
    connection?.destroy()
    abandon()
  }

  async function run(sql: string, values: readonly SqlValue[], limit: number): Promise<unknown> {
    try {
      if (isLost) throw storeUnavailable('mysql', new Error('the connection is lost'))
      // An old one may lead to what was the primary.
      if (wanted !== null && found !== null && found !== wanted) destroy()
      const abandoned = Promise.withResolvers<never>()
      abandoned.promise.catch(() => {})
      abandon = () => abandoned.reject(connectionAbandoned())
      const answer = connectionInUse().then((connection) =>
        connection.query({ sql, values: [...values], timeout: limit }),
      )
      const [result] = await Promise.race([answer, abandoned.promise])
      return result
    } catch (error) {
      stripMysqlError(error)
      if (isStatementError(error)) throw error
      lose()
      throw toCaptureError(error)
    }
  }

  function queue(work: () => Promise<unknown>): Promise<unknown> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  const inTurn = (sql: string, values: readonly SqlValue[] = [], limit = timeoutMs) =>
    queue(() => run(sql, values, limit))

  return {
    async query(sql, values, limit) {
      return rowsOf(await inTurn(sql, values, limit))
    },
    async update(sql, values, limit) {
      return matchedOf(await inTurn(sql, values, limit))
    },
    async commit(sql, values = []) {
      const result = await queue(async () => {
        // For each connection anew; the statement itself would otherwise be the one that opens it.
        await run('DO 0', [], timeoutMs)
        if (!isTracking) await run("SET SESSION session_track_gtids = 'OWN_GTID'", [], timeoutMs)
        isTracking = true
        return run(sql, values, timeoutMs)
      })
      return { matched: matchedOf(result), gtid: gtidOf(result) }
    },
    use(serverId) {
      wanted = serverId
    },
    destroy,
    async [Symbol.asyncDispose]() {
      const connection = current
      current = null
      open = null
      if (connection) await Promise.race([connection.end().catch(() => {}), Bun.sleep(1_000)])
      connection?.destroy()
      destroy()
    },
  }
}

/** A cell that must be there, as text. */
export function textCell(row: SessionRow | undefined, column: string): string {
  const value = row?.[column]
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw storeUnavailable('mysql', new Error(`no ${column} in the answer`))
}

/** A cell that must be there, as a whole number. */
export function numberCell(row: SessionRow | undefined, column: string): number {
  const value = Number(textCell(row, column))
  if (Number.isSafeInteger(value)) return value
  throw storeUnavailable('mysql', new Error(`${column} is not a whole number: ${value}`))
}

/** Whether the server refused a statement over a connection that goes on working. */
export function isStatementError(error: unknown): error is Error & { readonly errno: number } {
  return (
    error instanceof Error &&
    !(error instanceof SnsError) &&
    'sqlState' in error &&
    'errno' in error &&
    typeof error.errno === 'number' &&
    error.errno !== ER.QUERY_INTERRUPTED &&
    !isConnectionSpent(error)
  )
}

function rowsOf(result: unknown): RowDataPacket[] {
  return Array.isArray(result) ? result : []
}

interface StatementResult {
  readonly affectedRows: number
  readonly stateChanges?: { readonly gtids?: readonly string[] }
}

function isStatementResult(result: unknown): result is StatementResult {
  return typeof result === 'object' && result !== null && 'affectedRows' in result
}

function matchedOf(result: unknown): number {
  return isStatementResult(result) ? result.affectedRows : 0
}

/** What the server says of the transaction that it has committed (`session_track_gtids`). */
function gtidOf(result: unknown): string | null {
  const gtids = isStatementResult(result) ? result.stateChanges?.gtids : undefined
  return gtids?.[0]?.toLowerCase() ?? null
}
