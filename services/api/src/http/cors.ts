import { cors } from '@elysiajs/cors'
import { RESPONSE_HEADERS } from '@sns/shared/config/http-headers'
import type { Settings } from '@sns/shared/config/program-settings'
import { Elysia } from 'elysia'

const PREFLIGHT_SECONDS = 600

/** Allows cross-origin requests from the given origins; does nothing without any. */
export function crossOrigin({ origins, credentials, methods, headers }: Settings['cors']) {
  const app = new Elysia({ name: 'cross-origin' })
  if (origins.length === 0) return app
  return app
    .use(
      cors({
        origin: origins === '*' ? '*' : [...origins],
        credentials,
        methods: [...methods],
        allowedHeaders: [...headers],
        exposeHeaders: [...RESPONSE_HEADERS],
        // Answered by the route below, so that preflights are counted and carry a request id too.
        preflight: false,
      }),
    )
    .options(
      '/*',
      ({ set }) => {
        set.status = 204
        set.headers['access-control-max-age'] = String(PREFLIGHT_SECONDS)
      },
      { detail: { hide: true } },
    )
}
