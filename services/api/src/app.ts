import type { Settings } from '@sns/shared/config/program-settings'
import type { Clock } from '@sns/shared/domain/clock'
import type { IdGenerator } from '@sns/shared/domain/id'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { DeliveryProgress } from '@sns/shared/ports/delivery-progress'
import type { EngagementStore } from '@sns/shared/ports/engagement-store'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { LaneStore } from '@sns/shared/ports/lane-store'
import type { NotificationStore } from '@sns/shared/ports/notification-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SearchIndex } from '@sns/shared/ports/search-index'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { TagStore } from '@sns/shared/ports/tag-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { Elysia } from 'elysia'
import { authentication, grantReader } from './http/authentication'
import { createBodies } from './http/body'
import { frame } from './http/frame'
import { createKnownRoutes } from './http/known-routes'
import { swagger } from './http/openapi/swagger'
import { type ProbesDeps, probes } from './http/probes'
import { createRateLimits, type RateLimitSettings, type RateLimitsDeps } from './http/rate-limits'
import { createRequestContexts } from './http/request-context'
import { createWebPage } from './http/web/routes'
import { createAnnouncedStores } from './memory/announced-stores'
import type { Memory } from './memory/memory'
import { createVisiblePosts } from './memory/visible-posts'
import { meRoutes, sessionRoutes } from './modules/accounts/routes'
import { createAccountService } from './modules/accounts/service'
import { createSessions } from './modules/accounts/sessions'
import { engagementRoutes } from './modules/engagement/routes'
import { createListeners } from './modules/events/listeners'
import { eventRoutes } from './modules/events/routes'
import { createFeed } from './modules/feed/feed'
import { feedRoutes } from './modules/feed/routes'
import { graphRoutes, relationshipListRoutes } from './modules/graph/routes'
import { notificationRoutes } from './modules/notifications/routes'
import { postRoutes } from './modules/posts/routes'
import { createPostService } from './modules/posts/service'
import { searchRoutes } from './modules/search/routes'
import { createSearchService } from './modules/search/service'
import { tagRoutes } from './modules/tags/routes'
import { createUserLookup } from './modules/users/lookup'
import { userRoutes } from './modules/users/routes'
import { createAccessTokens } from './security/access-tokens'
import { createAuthEvents } from './security/auth-events'
import { createClientAddress, type TrustedProxies } from './security/client-address'
import { createPasswords, type PasswordCost } from './security/passwords'
import { createPublicOrigin } from './security/public-origin'

/** Everything the api works with; each module takes only what it uses. */
export interface ApiDeps {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly engagement: EngagementStore
  readonly lanes: LaneStore
  readonly deliveryProgress: DeliveryProgress
  readonly notifications: NotificationStore
  readonly tags: TagStore
  readonly timelines: TimelineStore
  readonly freshness: Freshness
  readonly rateLimiters: RateLimitsDeps
  readonly search: SearchIndex
  /** What this process keeps of those stores. */
  readonly memory: Memory
  readonly clock: Clock
  readonly ids: IdGenerator
  readonly logger: Logger
  readonly metrics: Metrics
  readonly readiness: ProbesDeps['readiness']
  /** Aborts when the process is about to stop. */
  readonly leaving: AbortSignal
  readonly settings: ApiSettings
}

export interface ApiSettings {
  readonly cors: Settings['cors']
  readonly secretKey: string
  readonly sessionMaxDays: number
  readonly rateLimits: RateLimitSettings
  readonly trustedProxies: TrustedProxies
  /** The origin that links carry; null where it is the one that a request was sent to. */
  readonly publicUrl: string | null
  /** How many reads of feeds from the database run at once. */
  readonly feedReads: number
  /** How many clients may listen to events at once. */
  readonly eventStreams: number
  readonly eventMemoryMib: number
  /** Lower only in tests. */
  readonly passwordCost?: PasswordCost
}

export type App = ReturnType<typeof createApp>

/** How the api uses Elysia. */
export const ELYSIA_OPTIONS = {
  // Unknown fields are refused by name, not stripped.
  normalize: false,
  // One router for `listen` and for `handle`, so that tests meet what clients meet.
  systemRouter: false,
  handler: { standardHostname: false },
  serve: {
    // Seconds: longer than the longest wait for a password to be hashed.
    idleTimeout: 60,
    // Each route bounds its body while reading it; Bun's own refusal is not problem+json.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  },
} as const

/** The whole HTTP api; listens only when told to. */
export function createApp(backend: ApiDeps) {
  const { logger, settings, clock, memory } = backend
  const deps: ApiDeps = {
    ...backend,
    ...createAnnouncedStores(backend, backend.freshness, memory.pieces),
  }
  const { users, graph } = deps
  const clientAddress = createClientAddress(settings.trustedProxies)
  const publicOrigin = createPublicOrigin(settings)
  const contexts = createRequestContexts({ clientAddress, publicOrigin, peers: () => app.server })
  const limits = createRateLimits(deps.rateLimiters, settings.rateLimits)
  const bodies = createBodies({ contexts, limits })
  const events = createAuthEvents({ logger })
  const knownRoutes = createKnownRoutes()
  const page = createWebPage()
  const accessTokens = createAccessTokens({ clock, secretKey: settings.secretKey })
  const grants = grantReader({ accessTokens })
  const authenticated = authentication({
    ...deps,
    grants,
    viewers: memory.viewers,
    contexts,
    limits,
  })
  const lookup = createUserLookup(deps)
  const feed = createFeed({ ...deps, ...memory }, { atOnce: settings.feedReads })
  const listeners = createListeners(
    { ...deps, feed },
    {
      max: settings.eventStreams,
      // One account may have all of them where limits are off.
      maxByAddress: limits.isOn
        ? Math.max(10, Math.ceil(settings.eventStreams / 10))
        : settings.eventStreams,
      maxBytes: settings.eventMemoryMib * 2 ** 20,
    },
  )
  const visiblePosts = createVisiblePosts({ ...deps, ...memory })
  const sessions = createSessions({
    ...deps,
    accessTokens,
    events,
    maxDays: settings.sessionMaxDays,
  })
  const passwords = createPasswords(settings.passwordCost)
  const accounts = createAccountService({ ...deps, sessions, passwords, events })
  const accountRoutes = { accounts, sessions, bodies, contexts, limits, authenticated }

  const routes = new Elysia(ELYSIA_OPTIONS)
    .use(frame({ ...deps, contexts, routes: knownRoutes, page }, settings.cors))
    .use(probes(deps))
    .use(sessionRoutes(accountRoutes))
    .use(meRoutes(accountRoutes))
    .use(userRoutes({ users, graph, lookup, authenticated }))
    .use(graphRoutes({ graph, lookup, authenticated }))
    .use(relationshipListRoutes({ graph, authenticated }))
    .use(postRoutes(createPostService({ ...deps, lookup }), { bodies, authenticated }))
    .use(engagementRoutes({ ...deps, visiblePosts, bodies, authenticated }))
    .use(tagRoutes({ ...deps, visiblePosts, authenticated }))
    .use(notificationRoutes({ ...deps, bodies, authenticated }))
    .use(feedRoutes(feed, { grants, contexts, limits }))
    .use(eventRoutes({ listeners, grants, contexts, authenticated }))
    .use(searchRoutes(createSearchService({ ...deps, visiblePosts, lookup }), authenticated))

  const app = routes.use(swagger(routes)).use(page.routes())
  knownRoutes.learn(app.routes)
  return app
}
