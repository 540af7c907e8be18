/** How often a key may do something within a window that begins with its first use. */
export interface RateLimit {
  /** As clients and operators see it; lower case, dashes. */
  readonly name: string
  /** Uses within a window. */
  readonly quota: number
  readonly seconds: number
}

export interface RateLimitState {
  readonly isExceeded: boolean
  readonly remaining: number
  /** Until the window ends and the quota is whole again; at least 1. */
  readonly resetSeconds: number
}

/** The state of a key after `used` uses in a window with `msLeft` milliseconds left. */
export function rateLimitState(
  { quota, seconds }: RateLimit,
  used: number,
  msLeft: number,
): RateLimitState {
  return {
    isExceeded: used > quota,
    remaining: Math.max(0, quota - used),
    resetSeconds: Math.min(seconds, Math.max(1, Math.ceil(msLeft / 1_000))),
  }
}
