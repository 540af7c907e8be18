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

/** Lets timers and I/O run: promises that are resolved already would keep the event loop to themselves. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
