import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createClient } from '@sns/client'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import { freePort } from '../../scripts/process/program-process'
import { APP_HOST, chromium } from '../browser'
import { openWebSuite } from '../web-suite'

const PASSWORD = 'correct horse battery'

/** A page of another origin with the client in it. */
async function serveApp(port: number) {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, '../../client/src/index.ts')],
    target: 'browser',
  })
  const script = await built.outputs[0]?.text()
  const html = '<!doctype html><link rel="icon" href="data:,"><title>app</title>'
  return Bun.serve({
    hostname: '127.0.0.1',
    port,
    fetch: ({ url }) =>
      url.endsWith('/client.js')
        ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
        : new Response(html, { headers: { 'content-type': 'text/html' } }),
  })
}

test.skipIf(!chromium)(
  'an app of another origin hears of everything after a cut, is told of the cut, and reads every header',
  async () => {
    const appPort = freePort()
    const origin = `http://${APP_HOST}:${appPort}`
    await using suite = await openWebSuite({ CORS_ORIGINS: origin, RATE_LIMIT: 'on' })
    const app = await serveApp(appPort)
    try {
      await using link = await createTcpProxy(suite.url)
      const bob = createClient({ url: suite.url })
      await bob.signUp({ username: 'bob', password: PASSWORD })
      const page = await suite.browser.newPage()
      await page.goto(origin)
      await page.evaluate(`(async () => {
        const { createClient } = await import('/client.js')
        Object.assign(globalThis, { heard: [], told: [] })
        globalThis.sns = createClient({ url: ${JSON.stringify(link.url)} })
        await sns.signUp({ username: 'ada', password: ${JSON.stringify(PASSWORD)} })
        await sns.followUser({ username: 'bob' })
        const onOpen = () => told.push('open')
        const onProblem = (problem) => told.push(problem.name)
        ;(async () => {
          for await (const event of sns.events({ onOpen, onProblem })) heard.push(event.kind)
        })()
      })()`)
      await page.waitForFunction("told.includes('open')")
      await bob.createPost({ text: 'before the cut' })
      await page.waitForFunction('heard.length === 1')

      await link.cut()
      await page.waitForFunction("told.at(-1) === 'UnreachableError'")
      await bob.createPost({ text: 'during the cut' })
      await link.resume()
      await page.waitForFunction('heard.length === 2', { timeout: 30_000 })
      expect(await page.evaluate('[heard, told.at(-1)]')).toEqual([['posts', 'posts'], 'open'])

      // What the client does not send or read by itself, an app may.
      const seen = await page.evaluate(`(async () => {
        const url = ${JSON.stringify(link.url)}
        const authorization = 'Bearer ' + sns.session.accessToken
        const { items: [post] } = await sns.readFeed()
        await sns.createPost({ text: 'one more', idempotencyKey: 'mine' })
        const ask = (path, headers = {}) => fetch(url + path, { headers: { authorization, ...headers } })
        const etag = (await ask('/v1/posts/' + post.id)).headers.get('etag')
        const fresh = await ask('/v1/posts/' + post.id, { 'If-None-Match': etag, 'X-Request-Id': 'mine' })
        const list = await ask('/v1/feed?limit=1')
        const names = ['link', 'ratelimit', 'ratelimit-policy', 'x-request-id']
        return [fresh.status, fresh.headers.get('x-request-id'), names.filter((name) => !list.headers.get(name))]
      })()`)
      expect(seen).toEqual([304, 'mine', []])
    } finally {
      await app.stop(true)
    }
  },
  300_000,
)
