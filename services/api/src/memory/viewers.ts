import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import type { Account } from '@sns/shared/domain/user'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { LaneStore } from '@sns/shared/ports/lane-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { createKnown, leastRecentlyUsed } from './known'
import type { KeptKind } from './verify'

/** Sessions and passwords are in no log that announces what a crashed writer could not: they are asked for again. */
const ACCOUNT_MS = 30_000
/** From when on that happens beside the requests, which need not wait for it: at a time of their own for each. */
const REFRESH_MS = 15_000
const REFRESH_SPREAD_MS = 10_000
/** The newest liked posts that are kept of a viewer; older ones are asked for. */
const LIKES = 1_000
/** What an entry takes beside its lists. */
const ENTRY_OVERHEAD = 1_000
/** What one id in a set takes. */
const BYTES_EACH = 32

/** Whose posts a viewer sees, and which posts they like. */
export interface FeedView {
  /** Those whose posts are in the feed: the viewer too. */
  readonly authors: ReadonlySet<UserId>
  readonly likes: ReadonlySet<PostId>
  /** Likes of posts below it are not in `likes`. */
  readonly likesFloor: number
}

interface Entry {
  /** Whom a block in either direction hides; null: not looked up yet. */
  readonly hidden: ReadonlySet<UserId> | null
  readonly account: Account
  readonly epoch: number
  readonly sessions: ReadonlyMap<SessionId, SeenSession>
  readonly view: FeedView | null
  /** When the account was read last, in Unix milliseconds. */
  readonly loadedAt: number
}

/** Both in Unix milliseconds. */
interface SeenSession {
  readonly liveUntil: number
  readonly seenAt: number
}

export interface ViewersDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly posts: Pick<PostStore, 'feedAuthors' | 'likedIds' | 'published'>
  readonly graph: Pick<GraphStore, 'blockedEitherWay'>
  readonly lanes: Pick<LaneStore, 'mergedAuthors'>
  readonly freshness: Freshness
  readonly clock: Clock
}

export interface ViewersOptions {
  readonly maxBytes: number
}

export type Viewers = ReturnType<typeof createViewers>

/** Who asks: accounts with their sessions, and what their feeds are made of. */
export function createViewers(
  { users, sessions, posts, graph, lanes, freshness, clock }: ViewersDeps,
  { maxBytes }: ViewersOptions,
) {
  const known = createKnown<UserId, Entry>(
    { freshness },
    leastRecentlyUsed({
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ view, hidden }) =>
        ENTRY_OVERHEAD +
        BYTES_EACH * ((view ? view.authors.size + view.likes.size : 0) + (hidden?.size ?? 0)),
    }),
  )
  freshness.onChange((change) => {
    if (change.kind === 'viewer') known.forget(change.user)
  })

  /** Sessions that are being asked for again. */
  const refreshing = new Set<SessionId>()

  function peek(grant: Grant, now: number): Account | null {
    const entry = known.isBelieved() ? known.peek(grant.userId) : undefined
    const session = entry?.sessions.get(grant.sessionId)
    if (!entry || !session || entry.epoch !== grant.epoch || session.liveUntil <= now) return null
    const age = now - session.seenAt
    if (age >= ACCOUNT_MS) return null
    if (age >= REFRESH_MS + (grant.userId % REFRESH_SPREAD_MS)) refresh(grant)
    return entry.account
  }

  /** Fails where the database is away: a request asks again, and once the account is too old it waits. */
  function refresh(grant: Grant): void {
    if (refreshing.has(grant.sessionId)) return
    refreshing.add(grant.sessionId)
    load(grant)
      .catch(() => undefined)
      .finally(() => refreshing.delete(grant.sessionId))
  }

  function load(grant: Grant): Promise<Account | null> {
    const { userId, sessionId, epoch } = grant
    const now = clock.now()
    return known.load(
      () => sessions.findViewer(grant, now),
      (viewer, keep) => {
        const before = known.peek(userId)
        const isSame = before?.epoch === epoch
        const others = isSame ? [...before.sessions].filter(([id]) => id !== sessionId) : []
        if (!viewer) {
          if (isSame) keep(userId, { ...before, sessions: new Map(others) })
          return
        }
        const { liveUntil, ...account } = viewer
        // What the log tells of is kept, unless the account knows more than was told.
        const isTold = isSame && before.account.graphVersion === account.graphVersion
        keep(userId, {
          account,
          epoch,
          sessions: new Map([
            ...others.filter(([, { seenAt }]) => now - seenAt < ACCOUNT_MS),
            [sessionId, { liveUntil, seenAt: now }],
          ]),
          view: isTold ? before.view : null,
          hidden: isTold ? before.hidden : null,
          loadedAt: now,
        })
      },
    )
  }

  function readView(userId: UserId): Promise<FeedView> {
    return Promise.all([
      posts.feedAuthors(userId),
      posts.likedIds(userId, { before: null, limit: LIKES }),
    ]).then(([authors, likes]) => ({
      authors: new Set(authors),
      likes: new Set(likes),
      likesFloor: likes.length < LIKES ? 0 : (likes.at(-1) ?? 0),
    }))
  }

  async function isEqual(userId: UserId, entry: Entry): Promise<boolean> {
    const { account, view, hidden } = entry
    const now = await users.findAccount(userId)
    const isOther = now?.graphVersion !== account.graphVersion
    // It is read again before it answers anybody, and what belongs to another version is not used then.
    const isOld = clock.now() - entry.loadedAt >= ACCOUNT_MS
    if (isOld && isOther) return true
    if (!now || (!isOld && now.displayName !== account.displayName)) return false
    if (isOther && !(await followsMerged(userId))) return false
    if (hidden !== null && !(await isSameHidden(userId, hidden))) return false
    return view === null || isSameView(view, await readView(userId))
  }

  /**
   * Whether they follow somebody whose posts are merged. A worker that died while it moved that author
   * back may have raised the version and told nobody: merging goes on until it is done, so no page is wrong.
   */
  async function followsMerged(userId: UserId): Promise<boolean> {
    const authors = new Set(await posts.feedAuthors(userId))
    return (await lanes.mergedAuthors()).some((author) => authors.has(author))
  }

  /** People who are gone may still be in what is kept: they have no posts to hide. */
  async function isSameHidden(userId: UserId, kept: ReadonlySet<UserId>): Promise<boolean> {
    const now = new Set(await graph.blockedEitherWay(userId))
    if (now.difference(kept).size > 0) return false
    const gone = await Promise.all([...kept.difference(now)].map(users.findAccount))
    return gone.every((account) => account === null)
  }

  /** Authors and posts that are gone may still be in what is kept: no page shows them. */
  async function isSameView(kept: FeedView, now: FeedView): Promise<boolean> {
    const floor = Math.max(kept.likesFloor, now.likesFloor)
    if (now.authors.difference(kept.authors).size > 0) return false
    if ([...now.likes.difference(kept.likes)].some((post) => post >= floor)) return false
    const authors = await Promise.all(
      [...kept.authors.difference(now.authors)].map(users.findAccount),
    )
    const likes = [...kept.likes.difference(now.likes)].filter((post) => post >= floor)
    return authors.every((author) => author === null) && (await posts.published(likes)).length === 0
  }

  const kept: KeptKind = {
    name: 'viewer',
    keys: known.keys,
    entries: known.entries,
    async differing(entries) {
      const wrong: UserId[] = []
      for (const [id, entry] of entries as ReadonlyMap<UserId, Entry>) {
        if (!(await isEqual(id, entry))) wrong.push(id)
      }
      return wrong
    },
  }

  return {
    /** Without sessions: they are in no log, and asked for again after `ACCOUNT_MS`. */
    kept,

    /**
     * The account that a token speaks for; null where its session has ended. After a barrier of the
     * same request.
     */
    async account(grant: Grant): Promise<Account | null> {
      return peek(grant, clock.now()) ?? load(grant)
    },

    /** What is known of an account at this moment, without asking; null: nothing. */
    held(userId: UserId): Account | null {
      return known.isBelieved() ? (known.peek(userId)?.account ?? null) : null
    },

    /** What the viewer's feed is made of. After a barrier of the same request. */
    async feedView(userId: UserId): Promise<FeedView> {
      const entry = known.isBelieved() ? known.peek(userId) : undefined
      if (entry?.view) return entry.view
      return known.load(
        () => readView(userId),
        (view, keep) => {
          const before = known.peek(userId)
          if (before && isSameVersion(before, entry)) keep(userId, { ...before, view })
        },
      )
    },

    /** Whom a block in either direction hides from the viewer. After a barrier of the same request. */
    async hiddenFrom(userId: UserId): Promise<ReadonlySet<UserId>> {
      const entry = known.isBelieved() ? known.peek(userId) : undefined
      if (entry?.hidden) return entry.hidden
      return known.load(
        async (): Promise<ReadonlySet<UserId>> => new Set(await graph.blockedEitherWay(userId)),
        (hidden, keep) => {
          const before = known.peek(userId)
          if (before && isSameVersion(before, entry)) keep(userId, { ...before, hidden })
        },
      )
    },
  }
}

/** Whether the account is still the one for which something was read. */
function isSameVersion({ account }: Entry, before: Entry | undefined): boolean {
  return account.graphVersion === before?.account.graphVersion
}
