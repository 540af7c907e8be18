import type { UserId } from '@sns/shared/domain/id'

/** What is known of a request from its arrival on, for logs, metrics and problems. */
export interface RequestContext {
  readonly id: string
  /** As `performance.now()`. */
  readonly startedAt: number
  userId: UserId | null
}

export type RequestContexts = ReturnType<typeof createRequestContexts>

const WELL_FORMED_ID = /^[A-Za-z0-9._:-]{1,64}$/

export function createRequestContexts() {
  const contexts = new WeakMap<Request, RequestContext>()
  return {
    /** Takes the caller's `X-Request-Id` where it is well-formed, so that ids go through a proxy. */
    open(request: Request): RequestContext {
      const given = request.headers.get('x-request-id')
      const context: RequestContext = {
        id: given !== null && WELL_FORMED_ID.test(given) ? given : crypto.randomUUID(),
        startedAt: performance.now(),
        userId: null,
      }
      contexts.set(request, context)
      return context
    },
    of(request: Request): RequestContext {
      return contexts.get(request) ?? this.open(request)
    },
  }
}
