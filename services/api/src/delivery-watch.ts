import { repeatEvery } from '@sns/shared/async/sleep'
import type { Logger } from '@sns/shared/observability/logger'
import type { WaitingPosts } from './memory/waiting-posts'

export interface DeliveryWatchDeps {
  readonly waiting: Pick<WaitingPosts, 'poll'>
  readonly logger: Pick<Logger, 'debug'>
}

/** Asks twice a second how far fan-out is. Where the database does not say, what was known stays. */
export function createDeliveryWatch(
  { waiting, logger }: DeliveryWatchDeps,
  { everyMs = 500 }: { readonly everyMs?: number } = {},
) {
  return {
    name: 'delivery-watch',
    run: (signal: AbortSignal): Promise<void> =>
      repeatEvery(waiting.poll, {
        intervalMs: everyMs,
        signal,
        onError: (err) => logger.debug({ err }, 'delivery progress could not be read'),
      }),
  }
}
