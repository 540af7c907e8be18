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
  readonly metrics: Pick<Metrics, 'fanoutDeliveries' | 'fanoutSkips' | 'fanoutLagSeconds'>
  readonly clock: Clock
}

export interface FanOutOptions {
  /** Followers read from SQL at once. */
  readonly followerPage: number
  /** Timelines in one push. */
  readonly chunkSize: number
  /** Pushes under way at once. */
  readonly concurrency: number
}

export interface FanOut {
  /** Pushes posts to their authors' and all followers' timelines. May be repeated. */
  deliver(posts: readonly CreatedPost[]): Promise<void>
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

  function count(result: PushResult) {
    metrics.fanoutDeliveries.inc(result.delivered)
    metrics.fanoutSkips.inc({ reason: 'absent' }, result.absent)
    metrics.fanoutSkips.inc({ reason: 'duplicate' }, result.duplicate)
    metrics.fanoutSkips.inc({ reason: 'below_floor' }, result.belowFloor)
  }

  return {
    async deliver(posts) {
      // Oldest first: the newest id of a timeline is the cheapest to add.
      const ordered = posts.toSorted((a, b) => a.id - b.id)
      const byAuthor = Map.groupBy(ordered, (post) => post.author)
      const deliveredAt = new Map<PostId, number>()
      await forEachBounded(pushes(byAuthor), options.concurrency, async ({ post, users }) => {
        count(await timelines.push(post.id, users))
        deliveredAt.set(post.id, clock.now())
      })
      for (const { id, committedAt } of posts) {
        const at = deliveredAt.get(id)
        if (at !== undefined) metrics.fanoutLagSeconds.observe(Math.max(0, at - committedAt) / 1000)
      }
    },
  }
}
