import type { Clock } from '@sns/shared/domain/clock'
import type { SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import type { Account } from '@sns/shared/domain/user'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { LaneStore } from '@sns/shared/ports/lane-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { createCoherentCache, leastRecentlyUsed } from './coherent-cache'
import type { KeptKind } from './verify'

/** Sessions and passwords are in no log that announces what a crashed writer could not: they are asked for again. */
const ACCOUNT_MS = 30_000
/** From when on that happens beside the requests, which need not wait for it: at a time of their own for each. */
const REFRESH_MS = 15_000
const REFRESH_SPREAD_MS = 10_000
/** What an entry takes. */
const ENTRY_BYTES = 1_000

interface Entry {
  /** Null: it is not known, and neither is any session. */
  readonly account: Account | null
  readonly epoch: number
  readonly sessions: ReadonlyMap<SessionId, SeenSession>
  /** When the account was read last, in Unix milliseconds. */
  readonly loadedAt: number
}

/** Both in Unix milliseconds. */
interface SeenSession {
  readonly liveUntil: number
  readonly seenAt: number
}

/** Which session a read asks for, and since when. */
interface ReadStart {
  readonly grant: Grant
  readonly at: number
}

export interface ViewersDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly posts: Pick<PostStore, 'feedAuthors'>
  readonly lanes: Pick<LaneStore, 'mergedAuthors'>
  readonly freshness: Freshness
  readonly clock: Clock
}

export interface ViewersOptions {
  readonly maxBytes: number
}

export type Viewers = ReturnType<typeof createViewers>

/** Who asks: accounts with their sessions. */
export function createViewers(
  { users, sessions, posts, lanes, freshness, clock }: ViewersDeps,
  { maxBytes }: ViewersOptions,
) {
  const cache = createCoherentCache<UserId, Entry, ReadStart>(
    { freshness },
    leastRecentlyUsed({
      maxEntries: Math.ceil(maxBytes / ENTRY_BYTES),
      maxBytes,
      bytesOf: () => ENTRY_BYTES,
    }),
  )
  freshness.onChange((change) => {
    if (change.kind === 'viewer') cache.invalidate(change.user)
  })

  /** Sessions that are being asked for again. */
  const refreshing = new Set<SessionId>()

  function peek(grant: Grant, now: number): Account | null {
    const entry = cache.current()?.get(grant.userId)
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

  async function load(grant: Grant): Promise<Account | null> {
    const { userId, sessionId, epoch } = grant
    const at = clock.now()
    const entries = await cache.getMany([userId], {
      load: async () => new Map([[userId, await readEntry(grant, at)]]),
      stamp: { grant, at },
      joins: (other) =>
        other.grant.sessionId === sessionId &&
        other.grant.epoch === epoch &&
        at - other.at < ACCOUNT_MS,
      isCurrent: () => false,
    })
    const entry = entries.get(userId)
    return entry?.sessions.has(sessionId) ? entry.account : null
  }

  /** The account and the session of the grant as they are now, beside the other sessions that are known. */
  async function readEntry(grant: Grant, now: number): Promise<Entry> {
    const { userId, sessionId, epoch } = grant
    const viewer = await sessions.findViewer(grant, now)
    const before = cache.current()?.peek(userId)
    const isSame = before?.epoch === epoch
    const others = isSame
      ? [...before.sessions].filter(
          ([id, { seenAt }]) => id !== sessionId && now - seenAt < ACCOUNT_MS,
        )
      : []
    if (!viewer) {
      const { account, loadedAt } = isSame ? before : { account: null, loadedAt: now }
      return { account, epoch, sessions: new Map(others), loadedAt }
    }
    const { liveUntil, ...account } = viewer
    const own: [SessionId, SeenSession] = [sessionId, { liveUntil, seenAt: now }]
    return { account, epoch, sessions: new Map([...others, own]), loadedAt: now }
  }

  function isOld({ loadedAt }: Entry): boolean {
    return clock.now() - loadedAt >= ACCOUNT_MS
  }

  async function isEqual(userId: UserId, entry: Entry): Promise<boolean> {
    const { account } = entry
    // An old one is read again before it answers anybody.
    if (account === null || isOld(entry)) return true
    const now = await users.findAccount(userId)
    if (!now || now.displayName !== account.displayName) return false
    return now.graphVersion === account.graphVersion || followsMerged(userId)
  }

  /**
   * Whether they follow somebody whose posts are merged. A worker that died while it moved that author
   * back may have raised the version and told nobody: merging goes on until it is done, so no page is wrong.
   */
  async function followsMerged(userId: UserId): Promise<boolean> {
    const authors = new Set(await posts.feedAuthors(userId))
    return (await lanes.mergedAuthors()).some((author) => authors.has(author))
  }

  const kept: KeptKind = {
    name: 'viewer',
    keys: cache.keys,
    entries: cache.entries,
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
      const entry = cache.current()?.peek(userId)
      return entry && !isOld(entry) ? entry.account : null
    },
  }
}
