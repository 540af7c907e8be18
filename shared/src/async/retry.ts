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
