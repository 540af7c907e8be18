import { type BackoffOptions, retry } from '../async/retry'
import type { ChangeEvent } from '../events/change-event'
import type { CapturedTable } from '../events/tables'
import type { ConsumeOptions } from '../ports/change-log'

/** The cap bounds how long posts wait after a store has recovered. */
export const DELIVERY_BACKOFF: BackoffOptions = { baseMs: 100, capMs: 3_000 }

/** How long a stopping consumer waits for the batch in hand. */
export const STOP_GRACE_MS = 10_000

type Delivery<T extends CapturedTable> = Pick<ConsumeOptions<T>, 'handle' | 'onRetry' | 'signal'>

/**
 * Delivers one batch until it is done: after an error it waits and delivers the same events again.
 * False where the consumer must not say that it is: it was told to stop between two attempts, or `lost`
 * aborted because the batch now belongs to another consumer, whatever became of it here.
 */
export async function deliver<T extends CapturedTable>(
  events: readonly ChangeEvent<T>[],
  { handle, onRetry, signal }: Delivery<T>,
  lost: AbortSignal,
  backoff: BackoffOptions = DELIVERY_BACKOFF,
): Promise<boolean> {
  if (lost.aborted) return false
  let failingSince: number | null = null
  try {
    await retry(() => handle(events, lost), {
      ...backoff,
      isTransient: () => !lost.aborted,
      onFailure(error, attempt) {
        failingSince ??= performance.now()
        onRetry?.(error, attempt, performance.now() - failingSince)
      },
      signals: [signal, lost],
    })
    return !lost.aborted
  } catch (error) {
    if (lost.aborted || signal.aborted) return false
    throw error
  }
}
