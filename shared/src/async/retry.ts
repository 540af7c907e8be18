import { sleep } from './sleep'

/** Milliseconds. */
export interface BackoffOptions {
  /** Mean of the first pause is half of this. */
  readonly baseMs: number
  readonly capMs: number
}

/**
 * A random pause, in milliseconds, before attempt `attempt + 1` (`attempt` counts from 1): anywhere
 * between zero and an exponentially growing, capped bound, so that callers that failed together do not
 * come back together ("full jitter"). `random` gives numbers from 0 up to 1.
 */
export function backoffMs(
  attempt: number,
  { baseMs, capMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30))
}

export interface RetryOptions extends BackoffOptions {
  /** How often the work is done at most; without end where it is not given. */
  readonly attempts?: number
  /** Whether another attempt may succeed; if not, the error is thrown at once. */
  readonly isTransient?: (error: unknown) => boolean
  /** Told of each failure that is followed by another attempt; attempts count from 1. */
  readonly onFailure?: (error: unknown, attempt: number) => void
  /** Once one has aborted, a wait ends and no further attempt begins. */
  readonly signals?: readonly AbortSignal[]
  readonly random?: () => number
}

/** Does the work until it succeeds, with a random and growing wait between attempts; throws its last error. */
export async function retry<Result>(
  work: () => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { attempts = Number.POSITIVE_INFINITY, isTransient = () => true, signals = [] } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isTransient(error)) throw error
      options.onFailure?.(error, attempt)
      await sleep(backoffMs(attempt, options, options.random), ...signals)
      if (signals.some((signal) => signal.aborted)) throw error
    }
  }
}
