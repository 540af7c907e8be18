export interface BackoffOptions {
  /** Mean of the first pause is half of this. */
  readonly baseMs: number
  readonly capMs: number
}

/**
 * A random pause before attempt `attempt + 1` (`attempt` counts from 1): anywhere between zero and an
 * exponentially growing, capped bound, so that callers that failed together do not come back together.
 */
export function backoffMs(attempt: number, { baseMs, capMs }: BackoffOptions): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30))
}

/** Waits; ends early, without an error, as soon as one of the signals aborts. */
export function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal.aborted)) return resolve()
    const end = () => {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    for (const signal of signals) signal.addEventListener('abort', end, { once: true })
  })
}
