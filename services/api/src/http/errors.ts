import type { TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import { ERROR_CODES } from '@sns/shared/errors/error-codes'
import { type FieldProblem, SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import { Elysia, NotFoundError, ParseError, ValidationError } from 'elysia'
import { PROBLEM_CONTENT_TYPE, type Problem, problemType } from './problem'
import type { RequestContexts } from './request-context'
import type { RouteMethods } from './route-methods'

interface ProblemsDeps {
  readonly contexts: RequestContexts
  readonly logger: Logger
  readonly routeMethods: RouteMethods
  readonly metrics: Pick<Metrics, 'httpProblems'>
}

/**
 * Turns every thrown error into problem+json; the only place that does. Use it before any route:
 * Elysia never calls an error handler for routes registered earlier.
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

/** Not `new URL`: Bun builds the URL from the `Host` header, and a bad one cannot be parsed. */
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
      ? new SnsError('method_not_allowed', { detail: `Allowed methods: ${methods.join(', ')}` })
      : new SnsError('route_not_found')
  }
  return new SnsError('internal', { cause: error })
}

const FIELDS_MAX = 20
const FIELD_NAME_MAX = 100

/** Names every wrong or unknown field. An invalid response is our own fault: `internal`. */
function validationProblem(error: ValidationError): SnsError {
  if (error.type === 'response') return new SnsError('internal', { cause: error })
  // A path parameter that cannot be parsed names nothing.
  if (error.type === 'params') return new SnsError('not_found', { cause: error })
  const fields = new Map<string, string>()
  for (const each of error.all) {
    if (!('schema' in each)) continue
    const field = fieldName(error.type, each.path)
    if (!fields.has(field))
      fields.set(field, message(each.type, each.schema, each.value, each.message))
    if (fields.size >= FIELDS_MAX) break
  }
  const problems: FieldProblem[] = [...fields].map(([field, text]) => ({ field, message: text }))
  const first = problems[0]
  return new SnsError('invalid_request', {
    ...(first ? { detail: `${first.field} ${first.message}` } : {}),
    fields: problems,
  })
}

function fieldName(part: string, path: string): string {
  const name = path
    .split('/')
    .slice(1)
    .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
    .slice(0, FIELD_NAME_MAX)
    .toWellFormed()
  if (part === 'body') return name || 'body'
  return name ? `${part}.${name}` : part
}

function message(type: ValueErrorType, schema: TSchema, value: unknown, fallback: string): string {
  if (type === ValueErrorType.ObjectRequiredProperty) return 'is required'
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'is not a known field'
  if (type === ValueErrorType.ObjectMinProperties) return 'must have at least one field'
  if (type === ValueErrorType.Object) return 'must be a JSON object'
  if (type === ValueErrorType.String) return `must be a string, not ${kindOf(value)}`
  if (typeof schema.rule === 'string') return schema.rule
  return fallback.charAt(0).toLowerCase() + fallback.slice(1)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value)
    ? 'an array'
    : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}
