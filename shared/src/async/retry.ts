import { sleep } from './sleep'

/** Milliseconds. */
export interface BackoffOptions {
  /** The mean of the first wait is half of this. */
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
  /** The most attempts; unlimited if absent. */
  readonly attempts?: number
  /** Whether another attempt may succeed; if not, the error is thrown at once. */
  readonly isTransient?: (error: unknown) => boolean
  /** Told of each failure that is followed by another attempt; attempts count from 1. */
  readonly onFailure?: (error: unknown, attempt: number) => void
  /** Aborting one ends the wait; no further attempt starts. */
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
