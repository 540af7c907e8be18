import { SnsError } from '@sns/shared/errors/sns-error'
import { Elysia } from 'elysia'
import { ASSETS, bundlePage, type WebBundle, type WebFile } from './bundle'

/** Paths of the page; it reads from the address what to show. */
const PATHS = [
  '/',
  '/users/:username',
  '/posts/:id',
  '/tags/:tag',
  '/search',
  '/notifications',
  '/likes',
  '/settings',
] as const

/** Nothing from elsewhere, nothing inline, and no text that is taken for HTML. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
const YEAR = 'public, max-age=31536000, immutable'

/** The web page: a client of the public API that a browser loads from the api itself. */
export function webRoutes() {
  let bundling: Promise<WebBundle> | null = null
  /** Made when it is first asked for; tried again where that failed. */
  function bundle(): Promise<WebBundle> {
    bundling ??= bundlePage().catch((error: unknown) => {
      bundling = null
      throw error
    })
    return bundling
  }

  const app = new Elysia({ name: 'web', detail: { hide: true } }).get(
    `${ASSETS}:file`,
    async ({ params, request }) => {
      const file = (await bundle()).assets.get(params.file)
      if (!file) throw new SnsError('not_found')
      return send(file, request, { 'cache-control': YEAR })
    },
  )
  for (const path of PATHS) {
    app.get(path, async ({ request }) =>
      send((await bundle()).index, request, {
        'cache-control': 'no-cache',
        'content-security-policy': POLICY,
      }),
    )
  }
  return app
}

function send(file: WebFile, request: Request, headers: Record<string, string>): Response {
  const known = request.headers.get('if-none-match')
  const shared = { ...headers, etag: file.etag, vary: 'accept-encoding' }
  if (known?.includes(file.etag)) return new Response(null, { status: 304, headers: shared })
  const [encoding, bytes] = encode(file, request.headers.get('accept-encoding') ?? '')
  return new Response(Buffer.from(bytes), {
    headers: {
      ...shared,
      'content-type': file.type,
      ...(encoding === null ? {} : { 'content-encoding': encoding }),
    },
  })
}

function encode(file: WebFile, accepted: string): [string | null, Uint8Array] {
  if (/\bbr\b/.test(accepted)) return ['br', file.brotli]
  if (/\bgzip\b/.test(accepted)) return ['gzip', file.gzip]
  return [null, file.plain]
}
