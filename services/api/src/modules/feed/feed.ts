import type { Clock } from '@sns/shared/domain/clock'
import { type PostId, parseId, type UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { Grant } from '@sns/shared/domain/session'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import type { Account } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { TimelineSlice, TimelineStore } from '@sns/shared/ports/timeline-store'
import { sessionEnded } from '../../http/authentication'
import { parseIdCursor, readIdCursor, writeIdCursor } from '../../http/cursors'
import type { AuthorPosts, MergedPosts } from '../../memory/merged-posts'
import { type PostPiece, type PostPieces, toPiece } from '../../memory/post-pieces'
import type { FeedView, Viewers } from '../../memory/viewers'
import { mergeLists } from './merge'
import { joinPage, type ShownPost } from './page-bytes'
import type { FeedQuery } from './schema'

export interface FeedDeps {
  readonly timelines: TimelineStore
  readonly freshness: Freshness
  readonly viewers: Viewers
  readonly pieces: PostPieces
  readonly merged: MergedPosts
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly posts: Pick<PostStore, 'feedIds' | 'visible' | 'liked'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'feedReads' | 'feedStageSeconds'>
  readonly logger: Logger
}

export interface FeedPage {
  readonly viewerId: UserId
  /** A page of posts as UTF-8 JSON. */
  readonly body: Uint8Array
  readonly nextCursor: string | null
}

/** What is new in a feed. */
export interface FeedNews {
  readonly count: number
  readonly newest: PostId | null
  /** Whose posts are in the feed; null: unknown now. */
  readonly authors: ReadonlySet<UserId> | null
}

export type Feed = ReturnType<typeof createFeed>

type Source = 'window' | 'sql'

/** A stretch of a feed, both ends exclusive; 0 and null: without an end. */
interface Stretch {
  readonly after: number
  readonly before: PostId | null
  readonly limit: number
}

interface Walked {
  readonly shown: readonly ShownPost[]
  readonly sources: ReadonlySet<Source>
  readonly authors: ReadonlySet<UserId> | null
}

/** Ids of a feed, newest first, from where a page goes on. */
interface Skeleton {
  readonly ids: readonly PostId[]
  readonly sources: readonly Source[]
  /** Nothing lies below the last of `ids`. */
  readonly isEnd: boolean
}

/** How much more to read at once when many posts may not be shown. */
const GROWTH = 4

/**
 * The home feed: skeleton (ids) → hydrate (pieces of posts) → rules (which of them may be shown) →
 * join (bytes).
 *
 * The read of the timeline is the barrier: when its reply is here, this process has heard every
 * change that was answered before, so what it keeps is current. While freshness cannot be believed,
 * the same steps ask SQL, and its predicate of the feed replaces the rules.
 */
export function createFeed(deps: FeedDeps) {
  const { timelines, freshness, viewers, pieces, merged, sessions, posts, clock, metrics, logger } =
    deps

  /** Null where Redis cannot be reached: SQL answers, and no change was heard. */
  async function ask<Result>(call: () => Promise<Result>): Promise<Result | null> {
    try {
      return await call()
    } catch (err) {
      // The adapter counts and reports outages; one line for each read would flood the log.
      logger.debug({ err }, 'timelines unavailable; reading SQL')
      return null
    }
  }

  /**
   * `isHeard`: every change was heard. `mergedAuthors`: as of the barrier, so before anything of the viewer
   * is looked up. `slice`: null where they are unknown: what was learnt before the read is forgotten where the
   * belief changed during it, and then the timeline may be one that posts are not pushed to.
   */
  async function readTimeline(user: UserId, before: PostId | null, limit: number) {
    if (freshness.belief() && merged.authors() === null) await merged.learnAuthors()
    const slice = await ask(() => timelines.read(user, { before, limit }))
    const mergedAuthors = merged.authors()
    return {
      isHeard: slice !== null,
      slice: mergedAuthors === null ? null : slice,
      mergedAuthors: mergedAuthors ?? [],
    }
  }

  async function skeleton(
    viewer: Account,
    slice: TimelineSlice | null,
    lists: readonly AuthorPosts[],
    before: PostId | null,
    limit: number,
  ): Promise<Skeleton> {
    if (slice === null) return fromSql(viewer.id, before, limit)
    if (slice.state !== 'ready' || slice.graphVersion !== viewer.graphVersion) {
      return rebuild(viewer, before, limit)
    }
    const { ids, floor } = mergeLists(slice, lists, before, limit)
    if (ids.length >= limit || floor === 0) {
      return { ids, sources: ['window'], isEnd: ids.length < limit }
    }
    // Everything from the floor up is in `ids`.
    const belowFloor = before !== null && before < floor ? before : (floor as PostId)
    const rest = await fromSql(viewer.id, belowFloor, limit - ids.length)
    return {
      ids: [...ids, ...rest.ids],
      sources: ids.length > 0 ? ['window', 'sql'] : ['sql'],
      isEnd: rest.isEnd,
    }
  }

  async function fromSql(viewer: UserId, before: PostId | null, limit: number): Promise<Skeleton> {
    const ids = await posts.feedIds(viewer, { before, limit })
    return { ids, sources: ['sql'], isEnd: ids.length < limit }
  }

  /** Reads the newest part of the feed from SQL and stores it as a window. */
  async function rebuild(viewer: Account, before: PostId | null, limit: number): Promise<Skeleton> {
    const startedAt = performance.now()
    const token = await ask(() => timelines.beginRebuild(viewer.id))
    if (!token) return fromSql(viewer.id, before, limit)
    const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })
    const complete = ids.length < TIMELINE_CAP
    // The account was read before the ids, so its graph version can only be too old.
    const { graphVersion } = viewer
    await ask(() => timelines.finishRebuild(viewer.id, token, { ids, complete, graphVersion }))
    metrics.feedStageSeconds.observe({ stage: 'rebuild' }, (performance.now() - startedAt) / 1000)
    const below = before === null ? ids : ids.filter((id) => id < before)
    if (below.length < limit && !complete) return fromSql(viewer.id, before, limit)
    return { ids: below.slice(0, limit), sources: ['sql'], isEnd: below.length < limit }
  }

  /**
   * Looks up the posts of a skeleton: those in the feed by what is kept (`view`); without it the ids are those
   * of SQL, and in the feed.
   */
  async function hydrate(
    viewer: UserId,
    view: FeedView | null,
    ids: readonly PostId[],
  ): Promise<(id: PostId) => ShownPost | null> {
    if (view === null) {
      const viewed = await posts.visible(viewer, ids)
      const byId = new Map(viewed.map((post) => [post.body.id, post]))
      return (id) => {
        const post = byId.get(id)
        if (!post) return null
        return { id, piece: toPiece(post), liked: post.liked }
      }
    }
    const found = await pieces.of(viewer, ids)
    const old = ids.filter((id) => id < view.likesFloor)
    const oldLikes = old.length === 0 ? null : new Set(await posts.liked(viewer, old))
    return (id) => {
      const piece: PostPiece | undefined = found.get(id)
      if (piece === undefined || !view.authors.has(piece.authorId)) return null
      return { id, piece, liked: view.likes.has(id) || oldLikes?.has(id) === true }
    }
  }

  /**
   * The posts of the feed between `after` and `before`, newest first: one more than `limit` where there are
   * more. Errors: `unauthenticated` (the session has ended).
   */
  async function walk(grant: Grant, { after, before: start, limit }: Stretch): Promise<Walked> {
    const { userId } = grant
    let before = start
    let count = limit + 1
    const first = await readTimeline(userId, before, count)
    const { isHeard, mergedAuthors } = first
    const viewer = isHeard
      ? await viewers.account(grant)
      : await sessions.findViewer(grant, clock.now())
    if (!viewer) throw sessionEnded()
    const view = isHeard && freshness.belief() ? await viewers.feedView(userId) : null
    let slice = view === null ? null : first.slice
    const lists = view ? await merged.of(mergedAuthors, (author) => view.authors.has(author)) : []

    const shown: ShownPost[] = []
    const sources = new Set<Source>()
    let last: number = before ?? Number.POSITIVE_INFINITY
    for (;;) {
      const found = await skeleton(viewer, slice, lists, before, count)
      for (const source of found.sources) sources.add(source)
      const ids = found.ids.filter((id) => id > after)
      const isEnd = found.isEnd || ids.length < found.ids.length
      const post = await hydrate(userId, view, ids)
      for (const id of ids) {
        const each = id < last ? post(id) : null
        if (each) shown.push(each)
        last = Math.min(last, id)
      }
      before = found.ids.at(-1) ?? before
      if (shown.length > limit || isEnd) break
      count = (limit + 1) * GROWTH
      if (slice) slice = (await readTimeline(userId, before, count)).slice
    }
    return { shown, sources, authors: view?.authors ?? null }
  }

  return {
    /** Errors: `invalid_cursor`, `unauthenticated` (the session has ended). */
    async page(grant: Grant, query: FeedQuery): Promise<FeedPage> {
      const after = readAfter(query.after)
      const before = readIdCursor<'post'>('feed', query.cursor)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const { shown, sources } = await walk(grant, { after, before, limit })
      metrics.feedReads.inc({ source: sourceLabel(sources) })
      const end = shown.length > limit ? shown[limit - 1] : undefined
      const nextCursor = writeIdCursor('feed', end?.id ?? null)
      return { viewerId: grant.userId, body: joinPage(shown, limit, nextCursor), nextCursor }
    },

    /** What others wrote after a post, counted up to `limit`. Errors: `unauthenticated`. */
    async news(grant: Grant, after: PostId | 0, limit: number): Promise<FeedNews> {
      const { shown, authors } = await walk(grant, { after, before: null, limit })
      const others = shown.filter(({ piece }) => piece.authorId !== grant.userId)
      return { count: Math.min(others.length, limit), newest: others[0]?.id ?? null, authors }
    },
  }
}

/** The post above which a page ends; 0: none. Errors: `invalid_cursor`. */
function readAfter(after: string | undefined): number {
  if (after === undefined) return 0
  const id = parseId<'post'>(after) ?? parseIdCursor<'post'>('feed', after)
  if (id !== null) return id
  const message = 'is neither the id of a post nor a cursor of this feed'
  throw new SnsError('invalid_cursor', {
    detail: `query.after ${message}`,
    fields: [{ field: 'query.after', message }],
  })
}

function sourceLabel(sources: ReadonlySet<Source>): 'window' | 'merge' | 'sql' {
  if (!sources.has('window')) return 'sql'
  return sources.has('sql') ? 'merge' : 'window'
}
