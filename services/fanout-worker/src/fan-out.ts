import { type BackoffOptions, retry } from '@sns/shared/async/retry'
import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { PushResult, TimelineStore } from '@sns/shared/ports/timeline-store'
import { audiences } from './audiences'
import { forEachBounded } from './bounded'

export interface CreatedPost {
  readonly id: PostId
  readonly author: UserId
  /** Unix milliseconds. */
  readonly committedAt: number
}

export interface FanOutDeps {
  readonly graph: Pick<GraphStore, 'followersOf'>
  readonly timelines: Pick<TimelineStore, 'push'>
  readonly metrics: Pick<
    Metrics,
    'fanoutDeliveries' | 'fanoutSkips' | 'fanoutLagSeconds' | 'storeRetries'
  >
  readonly clock: Clock
}

export interface FanOutOptions {
  /** Followers read from SQL at once. */
  readonly followerPage: number
  /** Timelines in one push. */
  readonly chunkSize: number
  /** Pushes under way at once. */
  readonly concurrency: number
  /** Of one push; what fails for longer is for the whole batch, which then comes again. */
  readonly pushRetry: BackoffOptions & { readonly attempts: number }
}

export interface FanOut {
  /** Pushes posts to their authors' and all followers' timelines. May be repeated. */
  deliver(posts: readonly CreatedPost[], signal: AbortSignal): Promise<void>
}

export function createFanOut(deps: FanOutDeps, options: FanOutOptions): FanOut {
  const { graph, timelines, metrics, clock } = deps

  async function* chunks(authors: readonly UserId[]) {
    for await (const { author, users } of audiences(graph, authors, options.followerPage)) {
      for (let from = 0; from < users.length; from += options.chunkSize) {
        yield { author, users: users.slice(from, from + options.chunkSize) }
      }
    }
  }

  async function* pushes(byAuthor: ReadonlyMap<UserId, readonly CreatedPost[]>) {
    for await (const { author, users } of chunks([...byAuthor.keys()])) {
      for (const post of byAuthor.get(author) ?? []) yield { post, users }
    }
  }

  /** Again in place: to start the batch anew for one push would push all the others again. */
  function push(post: PostId, users: readonly UserId[], signal: AbortSignal) {
    return retry(() => timelines.push(post, users), {
      ...options.pushRetry,
      signals: [signal],
      onFailure: () => metrics.storeRetries.inc({ store: 'redis' }),
    })
  }

  function count(result: PushResult) {
    metrics.fanoutDeliveries.inc(result.delivered)
    metrics.fanoutSkips.inc({ reason: 'absent' }, result.absent)
    metrics.fanoutSkips.inc({ reason: 'duplicate' }, result.duplicate)
    metrics.fanoutSkips.inc({ reason: 'below_floor' }, result.belowFloor)
  }

  return {
    async deliver(posts, signal) {
      // Oldest first: the newest id of a timeline is the cheapest to add.
      const ordered = posts.toSorted((a, b) => a.id - b.id)
      const byAuthor = Map.groupBy(ordered, (post) => post.author)
      const deliveredAt = new Map<PostId, number>()
      await forEachBounded(pushes(byAuthor), options.concurrency, async ({ post, users }) => {
        count(await push(post.id, users, signal))
        deliveredAt.set(post.id, clock.now())
      })
      for (const { id, committedAt } of posts) {
        const at = deliveredAt.get(id)
        if (at !== undefined) metrics.fanoutLagSeconds.observe(Math.max(0, at - committedAt) / 1000)
      }
    },
  }
}
