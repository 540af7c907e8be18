import { createMemoryRateLimiter } from '@sns/shared/adapters/memory/rate-limiter'
import { createMemoryTimelineStore } from '@sns/shared/adapters/memory/timeline-store'
import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-tables'
import { loadSettings } from '@sns/shared/config/load-settings'
import {
  createIdGenerator,
  type Id,
  type IdGenerator,
  type PostId,
  type UserId,
} from '@sns/shared/domain/id'
import { TIMELINE_LIMITS } from '@sns/shared/domain/timeline'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { Belief, Change, Freshness } from '@sns/shared/ports/freshness'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import { createSqlStores } from '@sns/shared/runtime/sql-stores'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { createApp } from '../app'
import { createMemory } from '../memory/memory'
import { PASSWORD } from './test-api'

/**
 * A channel between processes as the real one can behave: messages wait on each connection until a command on it
 * is answered, a cut connection loses waiting messages, and a writer that cannot announce closes the fence for all.
 * Of several primaries each has a connection to every process and some of the timelines: a change is told on all, and
 * a command on one brings what waits there, and there alone.
 */
export function createTestChannel(processes: number, primaries = 1) {
  const empty = () => Array.from({ length: primaries }, (): (readonly Change[])[] => [])
  const members = Array.from({ length: processes }, () => ({
    listeners: [] as ((change: Change) => void)[],
    waiting: empty(),
    isConnected: true,
    isLeased: true,
    belief: { belief: true } as Belief,
  }))
  let isFenceOpen = true

  function hear(member: (typeof members)[number], on?: readonly UserId[]) {
    const asked = on && new Set(on.map((user) => user % primaries))
    for (const [primary, messages] of member.waiting.entries()) {
      if (asked && !asked.has(primary)) continue
      for (const changes of messages.splice(0)) {
        for (const change of changes) for (const listener of member.listeners) listener(change)
      }
    }
  }

  function tell(changes: readonly Change[]) {
    for (const member of members) {
      if (member.isConnected) for (const messages of member.waiting) messages.push(changes)
    }
  }

  return {
    /** Announces a logged change for a writer that was killed before it could. */
    relay: tell,
    /** Delivers every waiting message. */
    settle() {
      for (const member of members) hear(member)
    },
    cut(at: number) {
      const member = members[at]!
      member.isConnected = false
      member.waiting = empty()
    },
    /** A lease that runs out, by itself or because the process was busy; nothing else fails. */
    lapse(at: number) {
      members[at]!.isLeased = false
    },
    /** The lease is there again: nothing was missed meanwhile. */
    renew(at: number) {
      members[at]!.isLeased = true
    },
    /** Another connection or another run of the server, found at once: nothing from before is believed. */
    startAnew(at: number) {
      members[at]!.belief = { belief: true }
    },
    /** The fence opens once all are there. */
    connect(at: number) {
      const member = members[at]!
      if (member.isConnected) return
      member.isConnected = true
      member.belief = { belief: true }
      if (isFenceOpen || members.some((each) => !each.isConnected)) return
      isFenceOpen = true
      for (const each of members) each.belief = { belief: true }
    },
    freshness(at: number): Freshness {
      const member = members[at]!
      return {
        async announce(changes) {
          if (!member.isConnected) isFenceOpen = false
          else tell(changes)
        },
        async barrier() {
          if (!member.isConnected) throw storeUnavailable('redis')
          hear(member)
        },
        belief: () => (member.isConnected && member.isLeased && isFenceOpen ? member.belief : null),
        onChange: (listener) => void member.listeners.push(listener),
        async hint() {},
        onHint() {},
      }
    },
    timelines(at: number, store: TimelineStore): TimelineStore {
      const member = members[at]!
      const on = <Result>(users: readonly UserId[], call: () => Promise<Result>) => {
        if (!member.isConnected) return Promise.reject(storeUnavailable('redis'))
        hear(member, users)
        return call()
      }
      return {
        read: (user, ...rest) => on([user], () => store.read(user, ...rest)),
        push: (post, users) => on(users, () => store.push(post, users)),
        beginRebuild: (user, ...rest) => on([user], () => store.beginRebuild(user, ...rest)),
        finishRebuild: (user, ...rest) => on([user], () => store.finishRebuild(user, ...rest)),
        drop: (user) => on([user], () => store.drop(user)),
      }
    },
  }
}

export type Replicas = Awaited<ReturnType<typeof openReplicas>>

export interface ReplicaAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any
}

/** The memory of several api processes over one database and one set of timelines, on so many primaries. */
export async function openReplicas(
  count: number,
  { cap, primaries = 1 }: { readonly cap: number; readonly primaries?: number },
) {
  const opened = new AsyncDisposableStack()
  const { db } = opened.use(await openTestDatabase('sqlite'))
  const clock = createManualClock()
  await migrateSqliteSearch({ db, clock })
  const search = createSqliteSearchIndex({ db, clock })
  const generator = createIdGenerator({ clock })
  let reused: number | null = null
  const ids: IdGenerator = {
    next<Kind extends string>() {
      const id = (reused ?? generator.next<Kind>()) as Id<Kind>
      reused = null
      return id
    },
  }
  const stores = createSqlStores(db, { clock, ids })
  const limits = { ...TIMELINE_LIMITS, cap, slack: Math.ceil(cap / 4) }
  const timelines = createMemoryTimelineStore({ clock }, { limits })
  const channel = createTestChannel(count, primaries)
  const metrics = createMetrics()
  const memories = Array.from({ length: count }, (_, at) =>
    createMemory(
      {
        ...stores,
        freshness: channel.freshness(at),
        clock,
        metrics,
        logger: createLogger('api', 'silent'),
      },
      { maxMib: 16, lookAgainMs: 1 },
    ),
  )
  const apps = memories.map((memory, at) =>
    createApp({
      ...stores,
      timelines: channel.timelines(at, timelines),
      freshness: channel.freshness(at),
      memory,
      rateLimiters: { shared: createMemoryRateLimiter(), local: createMemoryRateLimiter() },
      search,
      clock,
      ids,
      logger: createLogger('api', 'silent'),
      metrics,
      readiness: async () => ({ ready: true }),
      leaving: new AbortController().signal,
      settings: {
        cors: { origins: [], credentials: false, methods: [], headers: [] },
        secretKey: 'a key for tests that is long enough',
        sessionMaxDays: 90,
        rateLimits: { ...loadSettings({}, { role: 'suite' }).rateLimits, isOn: false },
        trustedProxies: [],
        publicUrl: null,
        eventStreams: 10,
        feedReads: 4,
        eventMemoryMib: 16,
        passwordCost: { memoryKiB: 8, passes: 1 },
      },
    }),
  )
  const fannedOut = new Set<PostId>()

  return {
    db,
    clock,
    ids,
    channel,
    stores,
    timelines,
    search,
    memories,
    /** Posts that were delivered; a test with a fan-out of its own adds to it. */
    fannedOut,
    /** Sets the next id. */
    reuse(id: PostId) {
      reused = id
      fannedOut.delete(id)
    },

    /** What one process answers, before its body is read. */
    handle: (at: number, path: string, request: RequestInit): Promise<Response> =>
      apps[at % count]!.handle(new Request(`http://localhost${path}`, request)),

    async request(
      at: number,
      method: string,
      path: string,
      { token, body }: { readonly token?: string; readonly body?: unknown } = {},
    ): Promise<ReplicaAnswer> {
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await this.handle(at, path, { method, headers, ...sent })
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : JSON.parse(text) }
    },

    async signUp(username: string) {
      const body = { username, password: PASSWORD }
      const answer = await this.request(0, 'POST', '/v1/auth/signup', { body })
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
      return {
        id: Number(answer.body.user.id) as UserId,
        username,
        token: answer.body.accessToken as string,
        refreshToken: answer.body.refreshToken as string,
      }
    },

    /** Pushes posts that were not pushed yet to their authors' and followers' timelines. */
    async fanOut(): Promise<void> {
      const posts = await db.selectFrom('posts').select(['id', 'author_id']).orderBy('id').execute()
      for (const { id, author_id: author } of posts) {
        if (fannedOut.has(id)) continue
        const pairs = await stores.graph.followersOf([author], null, 1_000)
        await timelines.push(id, [author, ...pairs.map(({ follower }) => follower)])
        fannedOut.add(id)
      }
    },

    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
