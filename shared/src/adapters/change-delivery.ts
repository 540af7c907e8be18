import { type BackoffOptions, retry } from '../async/retry'
import type { ChangeEvent } from '../events/change-event'
import type { CapturedTable } from '../events/tables'
import type { ConsumeOptions } from '../ports/change-log'

/** The cap is what a recovered store may be kept waiting: posts should show within seconds of it. */
export const DELIVERY_BACKOFF: BackoffOptions = { baseMs: 100, capMs: 3_000 }

/** How long a consumer that was told to stop waits for the batch in hand. */
export const STOP_GRACE_MS = 10_000

type Delivery<T extends CapturedTable> = Pick<ConsumeOptions<T>, 'handle' | 'onRetry' | 'signal'>

/**
 * Hands one batch over until it is done: after an error the same events again, after a pause. False
 * where they were not: the consumer was told to stop between two attempts, or `lost` aborted, which
 * says that the batch is no longer the consumer's to finish.
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
    return true
  } catch (error) {
    if (lost.aborted || signal.aborted) return false
    throw error
  }
}
