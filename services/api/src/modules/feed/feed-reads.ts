import type { PostId, UserId } from '@sns/shared/domain/id'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import type { Account } from '@sns/shared/domain/user'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { IdPage, PostStore } from '@sns/shared/ports/post-store'
import type { RebuiltTimeline, TimelineStore } from '@sns/shared/ports/timeline-store'
import { createFairQueue } from '../../security/fair-queue'

export interface FeedReadsDeps {
  readonly timelines: Pick<TimelineStore, 'beginRebuild' | 'finishRebuild'>
  readonly posts: Pick<PostStore, 'feedIds'>
  readonly metrics: Pick<Metrics, 'feedStageSeconds'>
  /** Told where the timelines cannot be reached. */
  readonly onAway: (error: unknown) => null
}

export interface FeedReadsOptions {
  /** How many reads run at once. */
  readonly atOnce: number
}

/** Whoever waits has no bound of its own: the requests that wait are bounded elsewhere. */
const UNBOUNDED = Number.POSITIVE_INFINITY
const NEVER = new AbortController().signal

/**
 * What is read of feeds from SQL. A few reads run at once, and people take turns: one with many deep pages delays only
 * those.
 */
export function createFeedReads(
  { timelines, posts, metrics, onAway }: FeedReadsDeps,
  { atOnce }: FeedReadsOptions,
) {
  const turns = createFairQueue({
    concurrency: atOnce,
    waiting: UNBOUNDED,
    waitingEach: UNBOUNDED,
  })
  /** By viewer, rebuilds that run or wait. They resolve whatever became of them. */
  const rebuilding = new Map<UserId, Promise<void>>()

  function inTurn<Result>(viewer: UserId, read: () => Promise<Result>): Promise<Result> {
    return turns.run({ key: String(viewer), signal: NEVER }, read)
  }

  async function install(viewer: Account): Promise<RebuiltTimeline | null> {
    const startedAt = performance.now()
    const token = await timelines.beginRebuild(viewer.id).catch(onAway)
    if (!token) return null
    const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })
    // The account was read before the ids, so its graph version can only be too old.
    const { graphVersion } = viewer
    const timeline = { ids, complete: ids.length < TIMELINE_CAP, graphVersion }
    await timelines.finishRebuild(viewer.id, token, timeline).catch(onAway)
    metrics.feedStageSeconds.observe({ stage: 'rebuild' }, (performance.now() - startedAt) / 1000)
    return timeline
  }

  return {
    ids: (viewer: UserId, page: IdPage): Promise<readonly PostId[]> =>
      inTurn(viewer, () => posts.feedIds(viewer, page)),

    /**
     * Reads the newest part of the feed and stores it as a window. Null where another rebuild was under way, in this
     * process until it ended, or the timelines cannot be reached: that one may have begun before what this reader must
     * see, so read the timeline again.
     */
    async rebuild(viewer: Account): Promise<RebuiltTimeline | null> {
      const other = rebuilding.get(viewer.id)
      if (other) {
        await other
        return null
      }
      const own = inTurn(viewer.id, () => install(viewer))
      const ended = own.then(
        () => {},
        () => {},
      )
      rebuilding.set(viewer.id, ended)
      try {
        return await own
      } finally {
        rebuilding.delete(viewer.id)
      }
    },
  }
}
