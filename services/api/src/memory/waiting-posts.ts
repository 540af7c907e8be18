import type { Clock } from '@sns/shared/domain/clock'
import { idTime, type PostId, type UserId } from '@sns/shared/domain/id'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import {
  type DeliveryProgress,
  type WaitingPost,
  waitingFloor,
} from '@sns/shared/ports/delivery-progress'

export interface WaitingPostsDeps {
  readonly deliveryProgress: Pick<DeliveryProgress, 'delivered' | 'oldestFrom' | 'newestFrom'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'feedDeliveryLag'>
  readonly logger: Pick<Logger, 'warn' | 'info'>
}

export interface WaitingPostsOptions {
  /** The most posts that are merged into pages; what is older comes from SQL then. */
  readonly max?: number | undefined
}

export type WaitingPosts = ReturnType<typeof createWaitingPosts>

/** Longer than capture, Kafka and fan-out take when they work, and than their progress trails. */
const BEHIND_MS = 5_000
/** How far clocks of servers may differ. */
const SKEW_MS = 1_000
const MAX = 5_000

/** Posts of all authors, newest first: every one that waits down to `floor`; 0: every one. */
export interface Waiting {
  readonly posts: readonly WaitingPost[]
  readonly floor: number
  /** Unix milliseconds, before the posts were read. */
  readonly readAt: number
}

/**
 * The posts that fan-out has not delivered, while it is behind: of all authors, in one list for all readers, so that
 * what it costs depends neither on them nor on the length of the outage.
 */
export function createWaitingPosts(
  { deliveryProgress: progress, clock, metrics, logger }: WaitingPostsDeps,
  { max = MAX }: WaitingPostsOptions = {},
) {
  let waiting: Waiting | null = null

  async function read(floor: PostId): Promise<Waiting> {
    const readAt = clock.now()
    const posts = await progress.newestFrom(floor, max)
    return { posts, floor: posts.length < max ? 0 : (posts.at(-1)?.id ?? 0), readAt }
  }

  return {
    /** Asks how far fan-out is, and reads what waits where it is behind. Errors: `store_unavailable`. */
    async poll(): Promise<void> {
      const delivered = await progress.delivered()
      const floor = waitingFloor(delivered)
      const oldest = await progress.oldestFrom(floor)
      const since = oldest === null ? null : Math.max(delivered, idTime(oldest))
      const lagMs = since === null ? 0 : Math.max(0, clock.now() - since)
      metrics.feedDeliveryLag.set(lagMs / 1_000)
      if (lagMs > BEHIND_MS) {
        if (!waiting) {
          logger.warn({ delivered, lagMs }, 'fan-out is behind; feeds take newer posts from SQL')
        }
        waiting = await read(floor)
      } else if (waiting && (oldest === null || delivered > waiting.readAt + SKEW_MS)) {
        // Not before: what a page has shown must not be missing in the next until it is delivered.
        waiting = null
        logger.info({ delivered }, 'fan-out has caught up; feeds take posts from timelines alone')
      }
    },

    /**
     * What waits now; null while fan-out keeps up. Ask before the timeline is read: what has been delivered by then is in
     * it.
     */
    current: (): Waiting | null => waiting,
  }
}

/** Ids to merge into a window, newest first. Below `floor` some may be missing; 0: none is. */
export interface WaitingIds {
  readonly ids: readonly PostId[]
  readonly floor: number
}

/** Those that wait of the authors whom a viewer sees. */
export function waitingOf(
  { posts, floor }: Waiting,
  isSeen: (author: UserId) => boolean,
): WaitingIds {
  return { ids: posts.flatMap(({ id, author }) => (isSeen(author) ? [id] : [])), floor }
}
