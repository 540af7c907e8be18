import { type MonotonicTime, monotonicTime } from './monotonic-time'

export interface RepeatOptions {
  /** Milliseconds from the end of one run to the start of the next. */
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  readonly time?: MonotonicTime
}

/** Does the work at once and again and again until the signal aborts; a run that fails is passed over. */
export async function repeatEvery(
  work: () => Promise<void>,
  { intervalMs, signal, onError, time = monotonicTime }: RepeatOptions,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch(onError)
    await time.sleep(intervalMs, signal)
  }
}
