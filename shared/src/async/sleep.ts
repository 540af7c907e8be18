/** Waits `ms` milliseconds; ends early, without an error, as soon as one of the signals aborts. */
export function sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
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

/** Resolves when the signal aborts; at once where it has. `forget` takes the listener off it again. */
export function whenAborted(signal: AbortSignal, forget?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    const once = { once: true, ...(forget && { signal: forget }) }
    signal.addEventListener('abort', () => resolve(), once)
  })
}

/** Lets timers and I/O run; resolved promises alone would block the event loop. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The monotonic time of this process; not comparable with other processes. */
export interface MonotonicTime {
  /** Milliseconds since an arbitrary moment. */
  now(): number
  /** Ends early, without an error, as soon as one of the signals aborts. */
  sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<void>
}

export const monotonicTime: MonotonicTime = { now: () => performance.now(), sleep }

export interface RepeatOptions {
  /** Milliseconds from the end of one run to the start of the next. */
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  readonly time?: MonotonicTime
}

/**
 * Runs the work at once, then repeatedly until the signal aborts. A failed run is reported and
 * skipped.
 */
export async function repeatEvery(
  work: () => Promise<void>,
  { intervalMs, signal, onError, time = monotonicTime }: RepeatOptions,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch(onError)
    await time.sleep(intervalMs, signal)
  }
}
