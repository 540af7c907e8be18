import { sleep } from './sleep'

export interface RepeatOptions {
  /** Milliseconds from the end of one run to the start of the next. */
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/** Does the work at once and again and again until the signal aborts; a run that fails is passed over. */
export async function repeatEvery(
  work: () => Promise<void>,
  { intervalMs, signal, onError }: RepeatOptions,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch(onError)
    await sleep(intervalMs, signal)
  }
}
