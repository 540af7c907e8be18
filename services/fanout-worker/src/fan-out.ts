import { type BackoffOptions, retry } from '@sns/shared/async/retry'
import type { Clock } from '@sns/shared/domain/clock'
import type { FollowId, PostId, UserId } from '@sns/shared/domain/id'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { ChangeAnnouncer } from '@sns/shared/ports/freshness'
import type { FollowPair, GraphStore } from '@sns/shared/ports/graph-store'
import type { Lane } from '@sns/shared/ports/lane-store'
import type { PushResult, TimelineStore } from '@sns/shared/ports/timeline-store'
import { type Consumer, type ConsumerDeps, createConsumer } from '@sns/shared/runtime/consumer'
import { forEachBounded } from './bounded'
import type { Lanes } from './lanes'

type FanoutWorkerDeps = FanOutDeps &
  ConsumerDeps & { readonly hints: Pick<ChangeAnnouncer, 'hint'> }

export interface FanoutWorkerOptions extends Partial<FanOutOptions> {
  /** The consumer group. */
  readonly group: string
  readonly maxBatch?: number
}

const TABLES = ['posts'] as const
const NAME = 'fanout'
/** Above every follow of an author. */
const LAST_FOLLOW = Number.MAX_SAFE_INTEGER as FollowId

/**
 * Pushes every new post to the timelines of its author and followers. Nothing else: edits, deletes
 * and graph changes are decided when a feed is read, and rows of a snapshot are not new.
 */
export function createFanoutWorker(deps: FanoutWorkerDeps, options: FanoutWorkerOptions): Consumer {
  const fanOut = createFanOut(deps, {
    followerPage: options.followerPage ?? 5_000,
    chunkSize: options.chunkSize ?? 500,
    concurrency: options.concurrency ?? 8,
    // About two seconds.
    pushRetry: options.pushRetry ?? { attempts: 6, baseMs: 50, capMs: 1_000 },
  })

  async function handle(
    events: readonly ChangeEvent<'posts'>[],
    signal: AbortSignal,
  ): Promise<void> {
    const created: CreatedPost[] = []
    for (const { op, after, source } of events) {
      if (op === 'c')
        created.push({ id: after.id, author: after.author_id, committedAt: source.ts_ms })
    }
    await fanOut.deliver(created, signal)
    const authors = new Set(created.map((post) => post.author))
    await deps.hints.hint([...authors].map((author) => ({ kind: 'delivered', author })))
  }

  return createConsumer(deps, {
    name: NAME,
    group: options.group,
    tables: TABLES,
    maxBatch: options.maxBatch ?? 500,
    handle,
  })
}

export interface CreatedPost {
  readonly id: PostId
  readonly author: UserId
  /** Unix milliseconds. */
  readonly committedAt: number
}

export interface FanOutDeps {
  readonly graph: Pick<GraphStore, 'followersOf'>
  readonly timelines: Pick<TimelineStore, 'push'>
  readonly lanes: Lanes
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
  /** Retries of one push. After that the whole batch fails and is delivered again. */
  readonly pushRetry: BackoffOptions & { readonly attempts: number }
}

export interface FanOut {
  /** Pushes posts to their authors' and all followers' timelines. May be repeated. */
  deliver(posts: readonly CreatedPost[], signal: AbortSignal): Promise<void>
}

export function createFanOut(deps: FanOutDeps, options: FanOutOptions): FanOut {
  const { graph, timelines, lanes, metrics, clock } = deps

  async function* pushes(
    byAuthor: ReadonlyMap<UserId, readonly CreatedPost[]>,
    known: ReadonlyMap<UserId, Lane>,
  ) {
    // Only their own timelines: everybody else merges.
    for (const [author, posts] of byAuthor) {
      if (known.get(author) === 'pull') for (const post of posts) yield { post, users: [author] }
    }
    const pushed = [...byAuthor.keys()].filter((author) => known.get(author) !== 'pull')
    // How many timelines each author's posts were pushed to, the author's own included.
    const reached = new Map<UserId, number>()
    const merged = new Set<UserId>()
    for await (const { author, users } of audiences(graph, pushed, options.followerPage, merged)) {
      for (let from = 0; from < users.length; from += options.chunkSize) {
        const some = users.slice(from, from + options.chunkSize)
        for (const post of byAuthor.get(author) ?? []) yield { post, users: some }
      }
      const count = (reached.get(author) ?? 0) + users.length
      reached.set(author, count)
      // The rest of a million followers would hold up everybody else's post, and need no push any more.
      if (await lanes.pushed(author, known.get(author) ?? 'push', count - 1)) merged.add(author)
    }
  }

  /** Retried in place: a retry of the whole batch would repeat every other push. */
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
      const known = await lanes.settle([...byAuthor.keys()])
      const deliveredAt = new Map<PostId, number>()
      await forEachBounded(
        pushes(byAuthor, known),
        options.concurrency,
        async ({ post, users }) => {
          count(await push(post.id, users, signal))
          deliveredAt.set(post.id, clock.now())
        },
      )
      for (const { id, committedAt } of posts) {
        const at = deliveredAt.get(id)
        if (at !== undefined) metrics.fanoutLagSeconds.observe(Math.max(0, at - committedAt) / 1000)
      }
    },
  }
}

/** Some of those whose home timelines show an author's posts. */
interface Audience {
  readonly author: UserId
  readonly users: readonly UserId[]
}

/**
 * The authors themselves and all their followers, by pages, so that memory does not grow with them. Of an
 * author who joins `merged` meanwhile no further page is read.
 */
export async function* audiences(
  graph: Pick<GraphStore, 'followersOf'>,
  authors: readonly UserId[],
  pageSize: number,
  merged: ReadonlySet<UserId>,
): AsyncGenerator<Audience> {
  if (authors.length === 0) return
  let users = new Map<UserId, UserId[]>(authors.map((author) => [author, [author]]))
  let after: FollowPair | null = null
  for (;;) {
    const pairs: readonly FollowPair[] = await graph.followersOf(authors, after, pageSize)
    for (const { author, follower } of pairs) {
      const known = users.get(author)
      if (known) known.push(follower)
      else users.set(author, [follower])
    }
    for (const [author, some] of users) yield { author, users: some }
    const last = pairs.at(-1)
    if (!last || pairs.length < pageSize) return
    after = merged.has(last.author) ? { ...last, followId: LAST_FOLLOW } : last
    users = new Map()
  }
}
