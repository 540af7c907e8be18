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
}

/** The body of a failed response. Throws `ProblemError`, or `UnreachableError` where it is no problem of the api. */
export async function throwProblem(response: Response): Promise<never> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfter = Number.isFinite(seconds) ? seconds : null
  const body: unknown = await response.json().catch(() => null)
  if (isProblem(body)) throw new ProblemError(body, retryAfter)
  throw new UnreachableError(`${response.url} answered ${response.status}, and not as the api does`)
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'requestId' in body
}
