import type { MysqlOkPacket, MysqlPoolConnection, MysqlQueryResult } from 'kysely'
import type { PoolConnection, QueryValues, TypeCastField } from 'mysql2'
import {
  connectionAbandoned,
  detailsOf,
  isConnectionLoss,
  isConnectionSpent,
  isDemotion,
  QUERY_TIMEOUT_CODE,
  translateMysqlError,
} from './errors'
import type { ConnectionUse } from './open-connections'

export interface PooledConnectionOptions {
  /** 0 waits for ever. */
  readonly queryTimeoutMs: number
  /** Another connection, to repeat a statement on whose own was found dead. */
  readonly reconnect: (callback: (error: unknown, raw: PoolConnection | null) => void) => void
  readonly onRelease: (raw: PoolConnection) => void
  /** Its server refuses what only a primary does: the connection must never be used again. */
  readonly onDemotion: (raw: PoolConnection) => void
  readonly onRetry: () => void
  readonly onError: () => void
}

interface Statement {
  readonly sql: string
  readonly parameters: QueryValues
  readonly callback: Callback
  readonly isRepeatable: boolean
}

type Callback = (error: unknown, result: MysqlQueryResult) => void

const NO_RESULT: MysqlOkPacket = { affectedRows: 0, changedRows: 0, insertId: 0 }

/** Waiting for a lock by name and changing tables take as long as they take. */
const UNTIMED = /^\s*(select get_lock|create|alter|drop)\b/i
/** The longest there is, past the session's own limit; zero would mean that one. */
const UNTIMED_SELECT = 'select /*+ max_execution_time(4294967295) */'
/** Statements that are safe to repeat. */
const REPEATABLE = /^\s*(begin$|select\b(?![\s\S]*\bfor\s+(update|share)\b))/i

/**
 * One use of a mysql2 connection by Kysely: gives every statement its time, translates errors, and
 * where the first statement finds the connection dead, repeats it once on another if it only reads or
 * begins a transaction. Later statements may lean on what the session holds (a transaction, a lock).
 */
export class PooledConnection implements MysqlPoolConnection, ConnectionUse {
  #isFresh = true
  #released = false
  /** Answers the statement in flight. */
  #settle: ((error: unknown, result: unknown) => void) | null = null

  constructor(
    private raw: PoolConnection,
    private readonly options: PooledConnectionOptions,
  ) {}

  get threadId(): number {
    return this.raw.threadId
  }

  get config(): object {
    return this.raw.config
  }

  connect(callback?: (error: unknown) => void): void {
    callback?.(null)
  }

  query(sql: string, parameters: QueryValues, callback?: Callback) {
    if (callback) this.#run(sql, parameters, callback, true)
    return { stream: () => this.#stream(sql, parameters) }
  }

  destroy(): void {
    this.raw.destroy()
    this.abandon()
  }

  abandon(): void {
    this.#settle?.(connectionAbandoned(), null)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.options.onRelease(this.raw)
  }

  #run(sql: string, parameters: QueryValues, callback: Callback, mayRepeat: boolean): void {
    const isUntimed = UNTIMED.test(sql)
    const timeout = isUntimed ? 0 : this.options.queryTimeoutMs
    const isRepeatable = this.#isFresh && mayRepeat && REPEATABLE.test(sql)
    let isAnswered = false
    const text = isUntimed ? sql.replace(/^\s*select\b/i, UNTIMED_SELECT) : sql
    const settle = (error: unknown, result: unknown) => {
      if (isAnswered) return
      isAnswered = true
      this.#settle = null
      if (!error) {
        this.#isFresh = false
        callback(null, result as MysqlQueryResult)
      } else {
        this.#fail(error, { sql, parameters, callback, isRepeatable })
      }
    }
    this.#settle = settle
    this.raw.query({ sql: text, values: parameters, timeout }, settle)
  }

  #fail(error: unknown, statement: Statement): void {
    const { sql, callback } = statement
    const isLost = isConnectionLoss(error)
    // mysql2 would read what is left of this answer into the next statement's.
    if (isConnectionSpent(error) || error instanceof InexactIntegerError) this.raw.destroy()
    if (isDemotion(error)) this.options.onDemotion(this.raw)
    if (isLost && sql === 'rollback') {
      // The server does it by itself when a connection ends.
      callback(null, NO_RESULT)
    } else if (isLost && statement.isRepeatable && detailsOf(error)?.code !== QUERY_TIMEOUT_CODE) {
      this.#repeat(statement)
    } else {
      this.#report(error, callback)
    }
  }

  #repeat({ sql, parameters, callback }: Statement): void {
    this.options.onRetry()
    this.options.reconnect((error, raw) => {
      if (!raw) return this.#report(error, callback)
      this.raw = raw
      this.#run(sql, parameters, callback, false)
    })
  }

  #report(error: unknown, callback: Callback): void {
    const translated = translateMysqlError(error)
    if (translated !== error) this.options.onError()
    callback(translated, NO_RESULT)
  }

  async *#stream(sql: string, parameters: QueryValues): AsyncGenerator<unknown> {
    const rows = await new Promise<MysqlQueryResult>((resolve, reject) => {
      this.#run(sql, parameters, (error, result) => (error ? reject(error) : resolve(result)), true)
    })
    if (Array.isArray(rows)) yield* rows
  }
}

/** A BIGINT that no JavaScript number holds: rounding it would address another row. */
export class InexactIntegerError extends RangeError {
  override readonly name = 'InexactIntegerError'

  constructor(column: string, digits: string) {
    super(`${column} holds ${digits}, which is past 2^53`)
  }
}

/** Reads BIGINTs as exact numbers, where mysql2 would round past 2^53. */
export function castColumn(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'LONGLONG') return next()
  const digits = field.string()
  if (digits === null) return null
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw new InexactIntegerError(field.name, digits)
  return value
}
