import { ProblemError, UnreachableError } from './problem.js'

const LONGEST_WAIT_SECONDS = 10

/** How long to wait before another try, with jitter; null where another would not help, or not soon. */
export function secondsToWait(error: unknown, attempt: number): number | null {
  const isUnreachable = error instanceof UnreachableError
  if (!isUnreachable && !(error instanceof ProblemError && error.status === 503)) return null
  const least = error.retryAfterSeconds ?? (isUnreachable ? 2 ** (attempt - 2) : 1)
  return least > LONGEST_WAIT_SECONDS ? null : least * (1 + Math.random())
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
