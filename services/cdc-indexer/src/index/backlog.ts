import { pause } from '@sns/shared/timing/pause'

export interface BacklogWatch {
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/** Counts again and again until the signal aborts. A count that fails is left out. */
export async function watchBacklog(
  count: () => Promise<number>,
  report: (backlog: number) => void,
  { intervalMs, signal, onError }: BacklogWatch,
): Promise<void> {
  while (!signal.aborted) {
    try {
      report(await count())
    } catch (error) {
      onError(error)
    }
    await pause(intervalMs, signal)
  }
}
