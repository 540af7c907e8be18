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
  /** Drops the connection at once; whatever it held on the server goes with it. */
  destroy(): void
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

export const MYSQL_CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 5_000

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
    return connection
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
      open ??= connect()
      const abandoned = Promise.withResolvers<never>()
      abandoned.promise.catch(() => {})
      abandon = () => abandoned.reject(connectionAbandoned())
      const connection = await Promise.race([open, abandoned.promise])
      const answer = connection.query({ sql, values: [...values], timeout: limit })
      const [result] = await Promise.race([answer, abandoned.promise])
      return result
    } catch (error) {
      stripMysqlError(error)
      if (isStatementError(error)) throw error
      lose()
      throw toCaptureError(error)
    }
  }

  function inTurn(sql: string, values: readonly SqlValue[] = [], limit = timeoutMs) {
    const turn = last.then(() => run(sql, values, limit))
    last = turn.catch(() => {})
    return turn
  }

  return {
    async query(sql, values, limit) {
      return rowsOf(await inTurn(sql, values, limit))
    },
    async update(sql, values, limit) {
      const result = await inTurn(sql, values, limit)
      return hasAffectedRows(result) ? result.affectedRows : 0
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

function hasAffectedRows(result: unknown): result is { readonly affectedRows: number } {
  return typeof result === 'object' && result !== null && 'affectedRows' in result
}
