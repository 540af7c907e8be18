import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import type { Account } from '@sns/shared/domain/user'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import { createKnown } from './known'

/** Some of an account is in no log that announces what a crashed writer could not: it is asked for again. */
const ACCOUNT_MS = 30_000
/** The newest liked posts that are kept of a viewer; older ones are asked for. */
const LIKES = 1_000
/** What an entry takes beside its lists. */
const ENTRY_OVERHEAD = 1_000

/** Whose posts a viewer sees, and which posts they like. */
export interface FeedView {
  /** Those whose posts are in the feed: the viewer too. */
  readonly authors: ReadonlySet<UserId>
  readonly likes: ReadonlySet<PostId>
  /** Likes of posts below it are not in `likes`. */
  readonly likesFloor: number
}

interface Entry {
  readonly account: Account
  readonly epoch: number
  /** Until when each session that was seen is good. */
  readonly sessions: ReadonlyMap<SessionId, number>
  readonly view: FeedView | null
  /** Unix milliseconds. */
  readonly loadedAt: number
}

export interface ViewersDeps {
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly posts: Pick<PostStore, 'feedAuthors' | 'newestLikes'>
  readonly freshness: Freshness
  readonly clock: Clock
}

export interface ViewersOptions {
  readonly maxBytes: number
}

export type Viewers = ReturnType<typeof createViewers>

/** Who asks: accounts with their sessions, and what their feeds are made of. */
export function createViewers(
  { sessions, posts, freshness, clock }: ViewersDeps,
  { maxBytes }: ViewersOptions,
) {
  const known = createKnown<UserId, Entry>(
    { freshness },
    {
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ view }) =>
        ENTRY_OVERHEAD + (view === null ? 0 : 32 * (view.authors.size + view.likes.size)),
    },
  )
  freshness.onChange((change) => {
    if (change.kind === 'viewer') known.forget(change.user)
  })

  function peek({ userId, sessionId, epoch }: Grant, now: number): Entry | null {
    const entry = known.isBelieved() ? known.peek(userId) : undefined
    if (!entry || entry.epoch !== epoch || now - entry.loadedAt >= ACCOUNT_MS) return null
    return (entry.sessions.get(sessionId) ?? 0) > now ? entry : null
  }

  return {
    /**
     * The account that a token speaks for; null where its session has ended. After a barrier of the
     * same request.
     */
    async account(grant: Grant): Promise<Account | null> {
      const now = clock.now()
      const entry = peek(grant, now)
      if (entry) return entry.account
      const viewer = await known.load(
        () => sessions.findViewer(grant, now),
        (viewer, keep) => {
          if (!viewer) return
          const before = known.peek(grant.userId)
          const isSame = before?.epoch === grant.epoch && now - before.loadedAt < ACCOUNT_MS
          keep(grant.userId, {
            account: viewer,
            epoch: grant.epoch,
            sessions: new Map([
              ...(isSame ? before.sessions : []),
              [grant.sessionId, viewer.liveUntil],
            ]),
            view: isSame ? before.view : null,
            loadedAt: isSame ? before.loadedAt : now,
          })
        },
      )
      return viewer
    },

    /** What the viewer's feed is made of. After a barrier of the same request. */
    async feedView(userId: UserId): Promise<FeedView> {
      const entry = known.isBelieved() ? known.peek(userId) : undefined
      if (entry?.view) return entry.view
      return known.load(
        async () => {
          const [authors, likes] = await Promise.all([
            posts.feedAuthors(userId),
            posts.newestLikes(userId, LIKES),
          ])
          return {
            authors: new Set(authors),
            likes: new Set(likes),
            likesFloor: likes.length < LIKES ? 0 : (likes.at(-1) ?? 0),
          }
        },
        (view, keep) => {
          const before = known.peek(userId)
          if (before) keep(userId, { ...before, view })
        },
      )
    },
  }
}
