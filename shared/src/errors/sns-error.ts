import { ERROR_CODES, type ErrorCode } from './error-codes'

export interface FieldProblem {
  /** Where, as a dotted path: `username`, `query.limit`. */
  readonly field: string
  readonly message: string
}

export interface SnsErrorOptions {
  /** The details of this occurrence and what to do; sent to clients for statuses below 500 only. */
  readonly detail?: string
  readonly fields?: readonly FieldProblem[]
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/** The one error class: told apart by `code`, never by message. Adapters make it at the edge. */
export class SnsError extends Error {
  override readonly name = 'SnsError'
  readonly detail: string | undefined
  readonly fields: readonly FieldProblem[]
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: ErrorCode,
    options: SnsErrorOptions = {},
  ) {
    super(options.detail ?? ERROR_CODES[code].title, { cause: options.cause })
    this.detail = options.detail
    this.fields = options.fields ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return ERROR_CODES[this.code].status
  }
}

export function isSnsError(error: unknown, code?: ErrorCode): error is SnsError {
  return error instanceof SnsError && (code === undefined || error.code === code)
}

/** A store did not answer in time or refused the connection. `store` is for logs and metrics only. */
export function storeUnavailable(store: string, cause?: unknown): SnsError {
  return new SnsError('store_unavailable', {
    detail: `${store} is unavailable`,
    retryAfterSeconds: 1,
    cause,
  })
}
