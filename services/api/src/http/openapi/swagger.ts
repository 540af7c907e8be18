import { type AnyElysia, Elysia } from 'elysia'
import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { createOpenApiDocument } from './document'

const START = `window.ui = SwaggerUIBundle({
  url: '/swagger/json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
  docExpansion: 'list',
})
`

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const DAY = 'public, max-age=86400'

/** The documentation page of `app`, which loads nothing from the internet, and its document. */
export function swagger(app: AnyElysia) {
  let document: string | undefined

  return new Elysia({ name: 'swagger', prefix: '/swagger', detail: { hide: true } })
    .get(
      '',
      () =>
        new Response(PAGE, {
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': POLICY,
          },
        }),
    )
    .get('/json', () => {
      document ??= JSON.stringify(createOpenApiDocument(app))
      return new Response(document, { headers: { 'content-type': 'application/json' } })
    })
    .get('/assets/swagger-ui.js', () => asset(script, 'text/javascript; charset=utf-8'))
    .get('/assets/swagger-ui.css', () => asset(style, 'text/css; charset=utf-8'))
    .get(
      '/assets/start.js',
      () => new Response(START, { headers: assetHeaders('text/javascript') }),
    )
}

function asset(path: string, type: string): Response {
  return new Response(Bun.file(path), { headers: assetHeaders(type) })
}

function assetHeaders(type: string) {
  return { 'content-type': type, 'cache-control': DAY }
}

/** The documentation page; every file it loads is served from here. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>sns API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/swagger/assets/swagger-ui.css" />
    <style>
      body {
        margin: 0;
      }
    </style>
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger/assets/swagger-ui.js"></script>
    <script src="/swagger/assets/start.js"></script>
  </body>
</html>
`
