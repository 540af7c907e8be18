import type { Settings } from '@sns/shared/config/program-settings'
import { Elysia } from 'elysia'
import { crossOrigin } from './cors'
import { type ProblemsDeps, problems } from './errors'
import { type RequestLogDeps, requestLog } from './request-log'

export type FrameDeps = RequestLogDeps &
  ProblemsDeps & {
    /** Aborts when the process is about to stop. */
    readonly leaving: AbortSignal
  }

/**
 * What is around every route: headers, an id, a line in the log, metrics, problem+json for what fails, and
 * cross-origin requests. Use it before any route.
 */
export function frame(deps: FrameDeps, cors: Settings['cors']) {
  return new Elysia({ name: 'frame' })
    .headers({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    .use(farewell(deps))
    .use(requestLog(deps))
    .use(problems(deps))
    .use(crossOrigin(cors))
}

/**
 * Closes each connection after its response while the process is about to stop. A proxy with
 * keep-alive connections then drops them one by one, and none carries a request at the moment the
 * process closes it.
 */
function farewell({ leaving }: Pick<FrameDeps, 'leaving'>) {
  return new Elysia({ name: 'farewell' }).onRequest(({ set }) => {
    if (leaving.aborted) set.headers.connection = 'close'
  })
}
