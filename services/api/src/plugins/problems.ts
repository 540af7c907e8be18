import { PROBLEM_CONTENT_TYPE, type Problem, problemType } from '@sns/shared/contract/http/problem'
import { ERROR_CODES } from '@sns/shared/errors/error-codes'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import { Elysia, NotFoundError, ParseError, ValidationError } from 'elysia'
import type { RequestContexts } from './request-context'
import type { RouteMethods } from './route-methods'
import { validationProblem } from './validation-problem'

export interface ProblemsDeps {
  readonly contexts: RequestContexts
  readonly logger: Logger
  readonly routeMethods: RouteMethods
  readonly metrics: Pick<Metrics, 'httpProblems'>
}

/**
 * Turns everything thrown into problem+json, the one place that does. Must be in use before any route:
 * Elysia never calls an error handler for routes that were there before it.
 */
export function problems({ contexts, logger, routeMethods, metrics }: ProblemsDeps) {
  return new Elysia({ name: 'problems' }).onError({ as: 'global' }, ({ error, request, set }) => {
    const path = pathOf(request)
    const known = toSnsError(error, () => routeMethods.allowed(path))
    const { id: requestId, address } = contexts.of(request)
    metrics.httpProblems.inc({ code: known.code })
    if (known.status >= 500)
      logger.error({ err: error, requestId, code: known.code }, 'request failed')

    set.status = known.status
    set.headers['content-type'] = PROBLEM_CONTENT_TYPE
    if (known.status === 401) set.headers['www-authenticate'] = 'Bearer realm="sns"'
    if (known.code === 'method_not_allowed')
      set.headers.allow = routeMethods.allowed(path).join(', ')
    if (known.status === 429 || known.status === 503) {
      set.headers['retry-after'] = String(known.retryAfterSeconds ?? 1)
    }
    if (known.status === 429) {
      logger.info({ event: 'rate_limited', address, requestId, path }, 'account')
    }
    return JSON.stringify(toProblem(known, requestId))
  })
}

/** Not by `new URL`: a `Host` that is none makes the URL of Bun's request one that cannot be parsed. */
function pathOf({ url }: Request): string {
  return /^(?:https?:\/\/[^/]*)?([^?]*)/.exec(url)?.[1] ?? ''
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

function toSnsError(error: unknown, allowed: () => readonly string[]): SnsError {
  if (error instanceof SnsError) return error
  if (error instanceof ValidationError) return validationProblem(error)
  if (error instanceof ParseError) {
    return error.cause instanceof SnsError
      ? error.cause
      : new SnsError('malformed_json', { cause: error })
  }
  if (error instanceof NotFoundError) {
    const methods = allowed()
    return methods.length > 0
      ? new SnsError('method_not_allowed', { detail: `It takes ${methods.join(', ')}` })
      : new SnsError('route_not_found')
  }
  return new SnsError('internal', { cause: error })
}
