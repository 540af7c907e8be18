import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import { createMemoryRateLimiter } from '@sns/shared/adapters/memory/rate-limiter'
import { createMemoryTimelineStore } from '@sns/shared/adapters/memory/timeline-store'
import type { StatementListener } from '@sns/shared/adapters/sql/database'
import { openReaderThread } from '@sns/shared/adapters/sqlite/reader-thread'
import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-tables'
import { loadSettings } from '@sns/shared/config/load-settings'
import { createIdGenerator, type PostId, type UserId } from '@sns/shared/domain/id'
import { TIMELINE_LIMITS } from '@sns/shared/domain/timeline'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { SearchChange, SearchDocument } from '@sns/shared/ports/search-index'
import { createSqlStores } from '@sns/shared/runtime/sql-stores'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { type ApiDeps, createApp } from '../app'
import { type Client, createClient } from '../client'
import { createMemory } from '../memory/memory'
import type { Session } from '../modules/accounts/schema'

export interface TestUser {
  readonly id: UserId
  readonly username: string
  readonly session: Session
  readonly client: Client
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any
}

export interface RequestOptions {
  readonly as?: TestUser | string
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream
  readonly headers?: Record<string, string>
}

type TestDeps = Omit<ApiDeps, 'memory'>

export type TestApi = Awaited<ReturnType<typeof openTestApi>>

export interface TestApiOptions {
  /** The embedded one if absent; search stays embedded in any case. */
  readonly database?: 'sqlite' | 'mysql'
  readonly timelineCap?: number
  /** Posts that are merged while fan-out is behind. */
  readonly maxWaiting?: number
  /** In place of those in memory. */
  readonly caches?: Pick<ApiDeps, 'timelines' | 'freshness'>
  readonly settings?: Partial<ApiDeps['settings']>
  readonly onStatement?: StatementListener
  /** Puts something between the api and its stores. */
  readonly wrap?: (deps: TestDeps) => TestDeps
}

export const PASSWORD = 'correct horse battery'

/** The api on an embedded stack of its own, listening on a free port. */
export async function openTestApi(options: TestApiOptions = {}) {
  const { timelineCap, settings, wrap } = options
  await using opened = new AsyncDisposableStack()
  const database = opened.use(
    await openTestDatabase(options.database ?? 'sqlite', {
      onStatement: options.onStatement ?? null,
    }),
  )
  const { db } = database
  const searchDatabase =
    options.database === 'mysql' ? opened.use(await openTestDatabase('sqlite')) : database
  const searchDb = searchDatabase.db
  const searches = opened.use(openReaderThread(searchDatabase.url.replace(/^sqlite:/, '')))
  const clock = createManualClock()
  await migrateSqliteSearch({ db: searchDb, clock })
  const limits =
    timelineCap === undefined
      ? TIMELINE_LIMITS
      : { ...TIMELINE_LIMITS, cap: timelineCap, slack: Math.ceil(timelineCap / 4) }
  const stores: TestDeps = {
    ...createSqlStores(db, { clock, ids: createIdGenerator({ clock }) }),
    timelines: createMemoryTimelineStore({ clock }, { limits }),
    freshness: createMemoryFreshness(),
    rateLimiters: { shared: createMemoryRateLimiter(), local: createMemoryRateLimiter() },
    search: createSqliteSearchIndex({ db: searchDb, reads: searches.db, clock }),
    ...options.caches,
    clock,
    ids: createIdGenerator({ clock }),
    logger: createLogger('api', 'silent'),
    metrics: createMetrics(),
    readiness: async () => ({ ready: true }),
    leaving: new AbortController().signal,
    settings: {
      cors: { origins: [], credentials: false, methods: [], headers: [] },
      secretKey: 'a key for tests that is long enough',
      sessionMaxDays: 90,
      rateLimits: { ...loadSettings({}, { role: 'suite' }).rateLimits, isOn: false },
      trustedProxies: [],
      publicUrl: null,
      eventStreams: 100,
      feedReads: 4,
      eventMemoryMib: 16,
      passwordCost: { memoryKiB: 8, passes: 1 },
      ...settings,
    },
  }
  // The migration began at the time of the day.
  await db.updateTable('delivery_progress').set({ delivered_at: clock.now() }).execute()
  const deps = wrap ? wrap(stores) : stores
  const memory = createMemory(deps, {
    maxMib: 16,
    ...(options.maxWaiting !== undefined && { maxWaiting: options.maxWaiting }),
  })
  const app = createApp({ ...deps, memory })
  opened.defer(async () => void (await app.stop(true)))
  app.listen({ hostname: '127.0.0.1', port: 0, reusePort: false })
  const url = `http://127.0.0.1:${app.server?.port}`

  const fannedOut = new Set<PostId>()
  let version = 0n
  const resources = opened.move()

  return {
    app,
    url,
    db,
    clock,
    deps,
    memory,
    /** The stores themselves, without what `wrap` put between. */
    stores,
    client: createClient(url),

    async request(
      method: string,
      path: string,
      { as, body, raw, headers }: RequestOptions = {},
    ): Promise<Answer> {
      const token = typeof as === 'string' ? as : as?.session.accessToken
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(raw === undefined ? {} : { body: raw }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      return {
        status: response.status,
        headers: response.headers,
        body: isJson && text !== '' ? JSON.parse(text) : text,
      }
    },

    async signUp(username: string, displayName?: string): Promise<TestUser> {
      const { data, error } = await createClient(url).v1.auth.signup.post({
        username,
        password: PASSWORD,
        ...(displayName === undefined ? {} : { displayName }),
      })
      if (error) throw new Error(`signup: ${JSON.stringify(error.value)}`)
      const id = Number(data.user.id) as UserId
      const client = createClient(url, { token: data.accessToken })
      return { id, username, session: data, client }
    },

    /** Applies every change so far, as the workers do. */
    async settle(): Promise<void> {
      await this.fanOut()
      await this.index()
    },

    /** Pushes posts that were not pushed yet to their authors' and followers' timelines, and records it. */
    async fanOut(): Promise<void> {
      const posts = await db.selectFrom('posts').select(['id', 'author_id']).orderBy('id').execute()
      for (const { id: number, author_id } of posts) {
        const [id, author] = [number as PostId, author_id as UserId]
        if (fannedOut.has(id)) continue
        fannedOut.add(id)
        const pairs = await stores.graph.followersOf([author], null, 1_000)
        await stores.timelines.push(id, [author, ...pairs.map(({ follower }) => follower)])
      }
      await stores.deliveryProgress.record(clock.now())
    },

    /** Puts all posts and users into the search index; deleted ones stay in it, as in a late index. */
    async index(): Promise<void> {
      version += 1n
      const [posts, users] = await Promise.all([
        db.selectFrom('posts').selectAll().execute(),
        db.selectFrom('users').selectAll().execute(),
      ])
      const documents: SearchDocument[] = [
        ...posts.map((post) => ({
          kind: 'post' as const,
          id: post.id as PostId,
          authorId: post.author_id as UserId,
          text: post.text,
          createdAt: post.created_at,
        })),
        ...users.map((user) => ({
          kind: 'user' as const,
          id: user.id as UserId,
          username: user.username,
          displayName: user.display_name,
        })),
      ]
      await stores.search.apply(
        documents.map((document): SearchChange => ({ op: 'index', version, document })),
      )
      await stores.search.refresh()
    },

    async [Symbol.asyncDispose](): Promise<void> {
      await resources.disposeAsync()
    },
  }
}
