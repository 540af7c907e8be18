/**
 * A route of a constant answer within more and more of what the api puts around its routes, to measure what each
 * costs: a program of its own, `bun frame-steps.ts`. Its settings are PORTS, where each
 * step answers, and SECRET_KEY, which tokens are signed with.
 */
import { ELYSIA_OPTIONS } from '@sns/api/app'
import { grantReader } from '@sns/api/http/authentication'
import { frame } from '@sns/api/http/frame'
import { createKnownRoutes } from '@sns/api/http/known-routes'
import { createRateLimits } from '@sns/api/http/rate-limits'
import { createRequestContexts, type Peers } from '@sns/api/http/request-context'
import { requestLog } from '@sns/api/http/request-log'
import { createAccessTokens } from '@sns/api/security/access-tokens'
import { createClientAddress } from '@sns/api/security/client-address'
import { createPublicOrigin } from '@sns/api/security/public-origin'
import { createMemoryRateLimiter } from '@sns/shared/adapters/memory/rate-limiter'
import { environment } from '@sns/shared/config/environment'
import { systemClock } from '@sns/shared/domain/clock'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { Elysia } from 'elysia'

const cors = { origins: [], credentials: false, methods: [], headers: [] }
const metrics = createMetrics()
/** What knows where requests of the last step come from. */
let listening: Peers | null = null
const deps = {
  contexts: createRequestContexts({
    clientAddress: createClientAddress([]),
    publicOrigin: createPublicOrigin({ publicUrl: null, trustedProxies: [] }),
    peers: () => listening,
  }),
  logger: createLogger('frame-steps', 'warn'),
  metrics,
  routes: createKnownRoutes(),
  page: { notFound: async () => null },
  leaving: new AbortController().signal,
}
const { contexts } = deps
const secretKey = environment.SECRET_KEY ?? ''
const grants = grantReader({ accessTokens: createAccessTokens({ clock: systemClock, secretKey }) })
const limit = { name: 'any', quota: 1_000_000_000, seconds: 60 }
const limiter = createMemoryRateLimiter()
const limits = createRateLimits(
  { shared: limiter, local: limiter },
  {
    isOn: true,
    logIn: limit,
    signIn: limit,
    signUp: limit,
    password: limit,
    write: limit,
    writeByAddress: limit,
    read: limit,
    readByAddress: limit,
  },
)

const bare = () => new Elysia(ELYSIA_OPTIONS)
const framed = () => bare().use(frame(deps, cors))
const ANSWER = { status: 'alive' }
const answer = () => ANSWER
const readHeader = ({ request }: { readonly request: Request }) => {
  request.headers.get('x-request-id')
}

const STEPS = [
  bare().get('/route', answer),
  bare().onRequest(readHeader).get('/route', answer),
  bare().use(requestLog(deps)).get('/route', answer),
  framed().get('/route', answer),
  framed().get('/route', async ({ request }) => {
    await grants(request)
    return ANSWER
  }),
  framed().get('/route', async ({ request, set: { headers } }) => {
    const context = contexts.of(request)
    await limits.address('read', { context, headers })
    const { userId } = await grants(request)
    await limits.account('read', userId, { context, headers })
    return ANSWER
  }),
]

const ports = environment.PORTS?.split(',') ?? []
for (const [at, step] of STEPS.entries()) {
  step.listen({ port: Number(ports[at]), hostname: '127.0.0.1' })
  listening = step.server
}
