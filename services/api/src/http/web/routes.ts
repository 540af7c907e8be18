import { SnsError } from '@sns/shared/errors/sns-error'
import { Elysia } from 'elysia'
import { PATHS, placeOf } from '../../../web/paths'
import { pathOf } from '../request-path'
import { ASSETS, bundlePage, type WebBundle, type WebFile } from './bundle'

/** Nothing from elsewhere, nothing inline, and no text that is taken for HTML. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
const PAGE_HEADERS = { 'cache-control': 'no-cache', 'content-security-policy': POLICY }
const YEAR = 'public, max-age=31536000, immutable'

export type WebPage = ReturnType<typeof createWebPage>

/** The web page: a client of the public API that a browser loads from the api itself. */
export function createWebPage() {
  let bundling: Promise<WebBundle> | null = null
  /** Made when it is first asked for; tried again where that failed. */
  function bundle(): Promise<WebBundle> {
    bundling ??= bundlePage().catch((error: unknown) => {
      bundling = null
      throw error
    })
    return bundling
  }
  const show = async (request: Request) => send((await bundle()).index, request, PAGE_HEADERS)

  return {
    routes() {
      const app = new Elysia({ name: 'web', detail: { hide: true } }).get(
        `${ASSETS}:file`,
        async ({ params, request }) => {
          const file = (await bundle()).assets.get(params.file)
          if (!file) throw new SnsError('not_found')
          return send(file, request, { 'cache-control': YEAR })
        },
      )
      for (const path of PATHS) {
        app.get(path, ({ request }) => {
          // What names nothing, such as half of a character, is not found like any other path.
          if (placeOf(pathOf(request)) === null) throw new SnsError('not_found')
          return show(request)
        })
      }
      return app
    },

    /** The page that says so, to a browser that asks for what is not there; null to anybody else. */
    async notFound(request: Request): Promise<Response | null> {
      const isBrowser = request.headers.get('accept')?.includes('text/html') ?? false
      const isPage = request.method === 'GET' || request.method === 'HEAD'
      if (!isBrowser || !isPage || API.test(pathOf(request))) return null
      const { type, plain } = (await bundle()).index
      const headers = { ...PAGE_HEADERS, 'cache-control': 'no-store', 'content-type': type }
      return new Response(Buffer.from(plain), { status: 404, headers })
    },
  }
}

/** What programs ask, which get problems whatever they accept. */
const API = new RegExp(`^(?:/v1|${ASSETS.slice(0, -1)})(?:/|$)`)

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
