import type { Problem } from './contract.js'

/** The api answered with a problem. Decide by `code`; the message is for logs. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: Problem['code']
  readonly status: number
  /** Every wrong field, where the request was invalid. */
  readonly fields: NonNullable<Problem['fields']>
  /** Quote it to the operator. */
  readonly requestId: string

  constructor(
    readonly problem: Problem,
    /** How long to wait before another try, where the api said so. */
    readonly retryAfterSeconds: number | null,
  ) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`)
    this.code = problem.code
    this.status = problem.status
    this.fields = problem.fields ?? []
    this.requestId = problem.requestId
  }
}

/** No answer of the api arrived: no network, a timeout, or something else answered in its place. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'

  constructor(
    message: string,
    options?: ErrorOptions,
    /** How long to wait before another try, where whoever answered said so. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message, options)
  }
}

/** The body of a failed response. Throws `ProblemError`, or `UnreachableError` where it is no problem of the api. */
export async function throwProblem(response: Response): Promise<never> {
  const retryAfter = secondsOf(response.headers.get('retry-after'))
  const body: unknown = await response.json().catch(() => null)
  if (isProblem(body)) throw new ProblemError(body, retryAfter)
  const message = `${response.url} answered ${response.status}, and not as the api does`
  throw new UnreachableError(message, {}, retryAfter)
}

/** `Retry-After` is a number of seconds, or a date (RFC 9110, section 10.2.3), which proxies may send. */
function secondsOf(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'requestId' in body
}
