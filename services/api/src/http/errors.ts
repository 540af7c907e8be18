import { ERROR_CODES } from '@sns/shared/errors/error-codes'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import { Elysia, NotFoundError, ParseError, ValidationError } from 'elysia'
import { invalidRequest } from './invalid-request'
import type { KnownRoutes } from './known-routes'
import { PROBLEM_CONTENT_TYPE, type Problem, problemType } from './problem'
import type { RequestContexts } from './request-context'
import { pathOf } from './request-path'
import type { WebPage } from './web/routes'

/** How much of a path a line of the log holds. */
export const PATH_CHARACTERS = 200

export interface ProblemsDeps {
  readonly contexts: RequestContexts
  readonly logger: Logger
  readonly routes: KnownRoutes
  readonly metrics: Pick<Metrics, 'httpProblems'>
  readonly page: Pick<WebPage, 'notFound'>
}

/**
 * Turns every thrown error into problem+json; the only place that does. Use it before any route:
 * Elysia never calls an error handler for routes registered earlier.
 */
export function problems({ contexts, logger, routes, metrics, page }: ProblemsDeps) {
  return new Elysia({ name: 'problems' }).onError({ as: 'global' }, async (context) => {
    const { error, request, set } = context
    const path = pathOf(request)
    const known = isInvalid(error)
      ? await invalidRequest(routes.schemas(request.method, context.route), context)
      : toSnsError(error, () => routes.allowed(path))
    const { id: requestId, address } = contexts.of(request)
    metrics.httpProblems.inc({ code: known.code })
    if (known.status >= 500)
      logger.error({ err: error, requestId, code: known.code }, 'request failed')

    if (known.status === 404) {
      const shown = await page.notFound(request).catch(() => null)
      if (shown) return shown
    }
    set.status = known.status
    set.headers['content-type'] = PROBLEM_CONTENT_TYPE
    if (known.status === 401) set.headers['www-authenticate'] = 'Bearer realm="sns"'
    if (known.code === 'method_not_allowed') set.headers.allow = routes.allowed(path).join(', ')
    if (known.status === 429 || known.status === 503) {
      set.headers['retry-after'] = String(known.retryAfterSeconds ?? 1)
    }
    if (known.status === 429) {
      logger.info(
        { event: 'rate_limited', address, requestId, path: path.slice(0, PATH_CHARACTERS) },
        'account',
      )
    }
    return JSON.stringify(toProblem(known, requestId))
  })
}

function toProblem(error: SnsError, requestId: string): Problem {
  const { status, title } = ERROR_CODES[error.code]
  const inside = status >= 500
  return {
    type: problemType(error.code),
    title,
    status,
    code: error.code,
    ...(error.detail === undefined || inside ? {} : { detail: error.detail }),
    ...(error.fields.length === 0 || inside ? {} : { fields: [...error.fields] }),
    requestId,
  }
}

/** Whether the fields of a request are wrong. */
function isInvalid(error: unknown): boolean {
  return error instanceof ValidationError && error.type !== 'response' && error.type !== 'params'
}

function toSnsError(error: unknown, allowed: () => readonly string[]): SnsError {
  if (error instanceof SnsError) return error
  // A path parameter that cannot be parsed names nothing. A wrong answer is our own fault.
  if (error instanceof ValidationError && error.type === 'params')
    return new SnsError('not_found', { cause: error })
  if (error instanceof ParseError) {
    return error.cause instanceof SnsError
      ? error.cause
      : new SnsError('malformed_json', { cause: error })
  }
  if (error instanceof NotFoundError) {
    const methods = allowed()
    return methods.length > 0
      ? new SnsError('method_not_allowed', { detail: `Allowed methods: ${methods.join(', ')}` })
      : new SnsError('route_not_found')
  }
  return new SnsError('internal', { cause: error })
}
