import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { DurationTally } from '@sns/shared/observability/tallies'
import { Elysia } from 'elysia'
import { PATH_CHARACTERS } from './errors'
import type { RequestContexts } from './request-context'
import { pathOf } from './request-path'

export interface RequestLogDeps {
  readonly contexts: RequestContexts
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'httpRequestSeconds' | 'httpInFlight'>
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Gives each request its id, times and counts it, and logs one line when it is done. */
export function requestLog({ contexts, logger, metrics }: RequestLogDeps) {
  const tallies = new Map<string, DurationTally>()

  function tally(method: string, route: string, status: number): DurationTally {
    const statusClass = `${Math.floor(status / 100)}xx`
    const key = `${method} ${statusClass} ${route}`
    let known = tallies.get(key)
    if (!known) {
      known = metrics.httpRequestSeconds.tally({ method, route, status: statusClass })
      tallies.set(key, known)
    }
    return known
  }

  return new Elysia({ name: 'request-log' })
    .onRequest(({ request, set }) => {
      set.headers['x-request-id'] = contexts.open(request).id
      metrics.httpInFlight.count += 1
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, set, responseValue }) => {
      metrics.httpInFlight.count -= 1
      const context = contexts.of(request)
      const method = METHODS.has(request.method) ? request.method : 'other'
      const status = responseValue instanceof Response ? responseValue.status : Number(set.status)
      const ms = performance.now() - context.startedAt
      const pattern = route || 'unmatched'
      tally(method, pattern, status).observe(ms / 1000)
      // Successful reads are most of the traffic; single ones are not worth a line.
      const isQuiet = status < 400 && (method === 'GET' || method === 'HEAD')
      if (isQuiet && !logger.isLevelEnabled('debug')) return
      const line = {
        requestId: context.id,
        method,
        route: pattern,
        // Without its query, which may hold what people typed.
        ...(route ? {} : { path: pathOf(request).slice(0, PATH_CHARACTERS) }),
        status,
        ms: Math.round(ms * 1000) / 1000,
        userId: context.userId,
      }
      if (isQuiet) logger.debug(line, 'request')
      else logger.info(line, 'request')
    })
}
