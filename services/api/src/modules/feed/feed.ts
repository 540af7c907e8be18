import type { Clock } from '@sns/shared/domain/clock'
import { type PostId, parseId, type UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { Grant } from '@sns/shared/domain/session'
import type { Account } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { Tally } from '@sns/shared/observability/tallies'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { TimelineSlice, TimelineStore } from '@sns/shared/ports/timeline-store'
import { sessionEnded } from '../../http/authentication'
import type { EncodedPage } from '../../http/body'
import { parseIdCursor, readIdCursor, writeIdCursor } from '../../http/cursors'
import { nextCount } from '../../http/fill-page'
import type { MergedPosts } from '../../memory/merged-posts'
import { joinPage, type ShownPost } from '../../memory/page-bytes'
import type { PostPieces } from '../../memory/post-pieces'
import type { Reactions } from '../../memory/reactions'
import type { Relations } from '../../memory/relations'
import type { Viewers } from '../../memory/viewers'
import { shownBySql } from '../../memory/visible-posts'
import { type Waiting, type WaitingPosts, waitingOf } from '../../memory/waiting-posts'
import { createFeedReads, type FeedReadsOptions } from './feed-reads'
import { type IdList, mergeLists } from './merge'
import type { FeedQuery } from './schema'

export interface FeedDeps {
  readonly timelines: TimelineStore
  readonly freshness: Freshness
  readonly viewers: Pick<Viewers, 'account'>
  readonly relations: Pick<Relations, 'feedAuthors'>
  readonly reactions: Pick<Reactions, 'among'>
  readonly pieces: PostPieces
  readonly merged: MergedPosts
  readonly waiting: Pick<WaitingPosts, 'current'>
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly posts: Pick<PostStore, 'feedIds' | 'visible' | 'liked'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'feedReads' | 'feedStageSeconds'>
  readonly logger: Logger
}

export interface FeedPage extends EncodedPage {
  readonly viewerId: UserId
}

/** What is new in a feed. */
export interface FeedNews {
  readonly count: number
  readonly newest: PostId | null
  /** Whose posts are in the feed; null: unknown now. */
  readonly authors: ReadonlySet<UserId> | null
}

/** Asked once the session is known to be open, before anything is looked up for it; throws to refuse. */
export type Admission = (viewer: UserId) => Promise<void>

export type Feed = ReturnType<typeof createFeed>

/** Where the ids of a page came from; merge: from a window, then from SQL. */
type Source = 'window' | 'merge' | 'sql'

type ReadySlice = Extract<TimelineSlice, { readonly state: 'ready' }>

/** A stretch of a feed, both ends exclusive; 0 and null: without an end. */
interface Stretch {
  readonly after: number
  readonly before: PostId | null
  readonly limit: number
}

interface Walked {
  readonly shown: readonly ShownPost[]
  readonly source: Source
  readonly authors: ReadonlySet<UserId> | null
}

/** Ids of a feed, newest first, from where a page goes on. */
interface Skeleton {
  readonly ids: readonly PostId[]
  readonly source: Source
  /** Nothing lies below the last of `ids`. */
  readonly isEnd: boolean
}

/**
 * The home feed: skeleton (ids) → hydrate (pieces of posts) → rules (which of them may be shown) →
 * join (bytes).
 *
 * The read of the timeline is the barrier: when its reply is here, this process has heard every
 * change that was answered before, so what it keeps is current. While freshness cannot be believed,
 * the same steps ask SQL, and its predicate of the feed replaces the rules.
 */
export function createFeed(deps: FeedDeps, { atOnce }: FeedReadsOptions) {
  const { timelines, freshness, viewers, relations, reactions, pieces, merged, waiting } = deps
  const { sessions, posts, clock, metrics, logger } = deps

  const sqlReads = createFeedReads({ timelines, posts, metrics, onAway: away }, { atOnce })
  const reads: Readonly<Record<Source, Tally>> = {
    window: metrics.feedReads.tally({ source: 'window' }),
    merge: metrics.feedReads.tally({ source: 'merge' }),
    sql: metrics.feedReads.tally({ source: 'sql' }),
  }

  /** Redis cannot be reached: SQL answers, and no change was heard. */
  function away(err: unknown): null {
    // The adapter counts and reports outages; one line for each read would flood the log.
    logger.debug({ err }, 'timelines unavailable; reading SQL')
    return null
  }

  /**
   * `isHeard`: every change was heard. `mergedAuthors`: as of the barrier, so before anything of the viewer
   * is looked up. `slice`: null where they are unknown: what was learnt before the read is forgotten where the
   * belief changed during it, and then the timeline may be one that posts are not pushed to.
   */
  async function readTimeline(user: UserId, before: PostId | null, limit: number) {
    if (freshness.belief() && merged.authors() === null) await merged.learnAuthors()
    const slice = await timelines.read(user, { before, limit }).catch(away)
    const mergedAuthors = merged.authors()
    return {
      isHeard: slice !== null,
      slice: mergedAuthors === null ? null : slice,
      mergedAuthors: mergedAuthors ?? [],
    }
  }

  function isUsable(slice: TimelineSlice, viewer: Account): slice is ReadySlice {
    return slice.state === 'ready' && slice.graphVersion === viewer.graphVersion
  }

  /** What a window lacks: posts of merged authors, and those that fan-out has not delivered while it is behind. */
  async function listsBeside(
    authors: ReadonlySet<UserId>,
    mergedAuthors: readonly UserId[],
    late: Waiting | null,
  ): Promise<readonly IdList[]> {
    const isSeen = (author: UserId) => authors.has(author)
    const lists = mergedAuthors.length > 0 ? await merged.of(mergedAuthors, isSeen) : []
    return late === null ? lists : [...lists, waitingOf(late, isSeen)]
  }

  async function skeleton(
    viewer: Account,
    slice: TimelineSlice | null,
    lists: readonly IdList[],
    before: PostId | null,
    limit: number,
  ): Promise<Skeleton> {
    if (slice === null) return fromSql(viewer.id, before, limit)
    if (isUsable(slice, viewer)) return fromWindow(viewer, slice, lists, before, limit)
    const rebuilt = await sqlReads.rebuild(viewer)
    if (rebuilt) {
      const ids = before === null ? rebuilt.ids : rebuilt.ids.filter((id) => id < before)
      if (ids.length < limit && !rebuilt.complete) return fromSql(viewer.id, before, limit)
      return { ids: ids.slice(0, limit), source: 'sql', isEnd: ids.length < limit }
    }
    const { slice: other } = await readTimeline(viewer.id, before, limit)
    if (other && isUsable(other, viewer)) return fromWindow(viewer, other, lists, before, limit)
    return fromSql(viewer.id, before, limit)
  }

  async function fromWindow(
    viewer: Account,
    slice: ReadySlice,
    lists: readonly IdList[],
    before: PostId | null,
    limit: number,
  ): Promise<Skeleton> {
    const { ids, floor } = mergeLists(slice, lists, before, limit)
    if (ids.length >= limit || floor === 0) {
      return { ids, source: 'window', isEnd: ids.length < limit }
    }
    // Everything from the floor up is in `ids`.
    const belowFloor = before !== null && before < floor ? before : (floor as PostId)
    const rest = await fromSql(viewer.id, belowFloor, limit - ids.length)
    return {
      ids: [...ids, ...rest.ids],
      source: ids.length > 0 ? 'merge' : 'sql',
      isEnd: rest.isEnd,
    }
  }

  async function fromSql(viewer: UserId, before: PostId | null, limit: number): Promise<Skeleton> {
    const ids = await sqlReads.ids(viewer, { before, limit })
    return { ids, source: 'sql', isEnd: ids.length < limit }
  }

  /**
   * Looks up the posts of a skeleton: those by `authors`, as far as that is kept; without it the ids are those
   * of SQL, and in the feed.
   */
  async function hydrate(
    viewer: UserId,
    authors: ReadonlySet<UserId> | null,
    ids: readonly PostId[],
  ): Promise<readonly ShownPost[]> {
    if (authors === null) {
      const byId = await shownBySql(posts, viewer, ids)
      return ids.flatMap((id) => byId.get(id) ?? [])
    }
    const shown: ShownPost[] = []
    const [found, liked] = await Promise.all([pieces.of(viewer, ids), reactions.among(viewer, ids)])
    for (let at = 0; at < ids.length; at += 1) {
      const id = ids[at] as PostId
      const piece = found[at]
      if (!piece || !authors.has(piece.authorId)) continue
      shown.push({ id, piece, liked: liked.has(id) })
    }
    return shown
  }

  /**
   * The posts of the feed between `after` and `before`, newest first: one more than `limit` where there are
   * more. Errors: `unauthenticated` (the session has ended).
   */
  async function walk(
    grant: Grant,
    { after, before: start, limit }: Stretch,
    admit?: Admission,
  ): Promise<Walked> {
    const { userId } = grant
    let before = start
    let count = limit + 1
    const late = waiting.current()
    const first = await readTimeline(userId, before, count)
    const { isHeard, mergedAuthors } = first
    const viewer = isHeard
      ? await viewers.account(grant)
      : await sessions.findViewer(grant, clock.now())
    if (!viewer) throw sessionEnded()
    await admit?.(viewer.id)
    const authors = isHeard && freshness.belief() ? await relations.feedAuthors(viewer) : null
    let slice = authors === null ? null : first.slice
    const lists = authors === null ? [] : await listsBeside(authors, mergedAuthors, late)

    const shown: ShownPost[] = []
    let source: Source | null = null
    for (;;) {
      const found = await skeleton(viewer, slice, lists, before, count)
      source = source === null || source === found.source ? found.source : 'merge'
      const ids = after === 0 ? found.ids : found.ids.filter((id) => id > after)
      for (const post of await hydrate(userId, authors, ids)) {
        // Each is below the one before it.
        if (post.id < (shown.at(-1)?.id ?? Number.POSITIVE_INFINITY)) shown.push(post)
      }
      before = found.ids.at(-1) ?? before
      const isEnd = found.isEnd || ids.length < found.ids.length
      if (shown.length > limit || isEnd) break
      count = nextCount(count)
      if (slice) slice = (await readTimeline(userId, before, count)).slice
    }
    return { shown, source, authors }
  }

  return {
    /** Errors: `invalid_cursor`, `unauthenticated` (the session has ended). */
    async page(grant: Grant, query: FeedQuery, admit?: Admission): Promise<FeedPage> {
      const after = readAfter(query.after)
      const before = readIdCursor<'post'>('feed', query.cursor)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const { shown, source } = await walk(grant, { after, before, limit }, admit)
      reads[source].count += 1
      const end = shown.length > limit ? shown[limit - 1] : undefined
      const nextCursor = writeIdCursor('feed', end?.id ?? null)
      return { viewerId: grant.userId, ...joinPage(shown.slice(0, limit), nextCursor) }
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
