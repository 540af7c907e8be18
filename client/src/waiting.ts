import { ProblemError, UnreachableError } from './problem.js'

const LONGEST_WAIT_SECONDS = 10

/** How long to wait before another try, with jitter; null where another would not help. */
export function secondsToWait(error: unknown, attempt: number): number | null {
  if (error instanceof UnreachableError) return 2 ** (attempt - 2) * (1 + Math.random())
  if (!(error instanceof ProblemError) || error.status !== 503) return null
  const least = error.retryAfterSeconds ?? 1
  return least > LONGEST_WAIT_SECONDS ? null : least * (1 + Math.random() / 2)
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
