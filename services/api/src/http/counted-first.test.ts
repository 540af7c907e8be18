import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { RateLimit } from '@sns/shared/domain/rate-limit'
import { recordedLog } from '@sns/shared/testing/recorded-log'
import { type DocumentedRoute, documentedRoutes, pathOf } from '../testing/documented-routes'
import { quotas } from '../testing/quotas'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../testing/test-api'

const behindProxy = { trustedProxies: [{ address: '127.0.0.0', prefix: 8 }] }
const BY_ADDRESS = { signIn: 3, signUp: 3, writeByAddress: 3, readByAddress: 3 }
/** Routes that every client asks and that cost nothing. */
const FREE = ['GET /livez', 'GET /readyz']

let api: TestApi
let routes: readonly DocumentedRoute[]
let user: TestUser
beforeAll(async () => {
  api = await openTestApi({ settings: { ...behindProxy, rateLimits: quotas(BY_ADDRESS) } })
  routes = await documentedRoutes(api)
  user = await api.signUp('minji')
})
afterAll(() => api[Symbol.asyncDispose]())

/** The statuses of requests of one kind, all from an address that nothing else comes from. */
let addresses = 0
async function statuses(count: number, ask: (headers: Record<string, string>) => Promise<number>) {
  addresses += 1
  const headers = { 'x-forwarded-for': `203.0.113.${addresses}` }
  const seen: number[] = []
  for (let at = 0; at < count; at += 1) seen.push(await ask(headers))
  return seen
}

const limited = () => routes.filter(({ name }) => !FREE.includes(name))

describe('a request is counted by its address', () => {
  test('before its body is read: what cannot be parsed, is too large or of the wrong kind counts', async () => {
    const withBody = limited().filter(({ body }) => body !== null)
    expect(withBody.length).toBeGreaterThan(8)
    const json = { 'content-type': 'application/json' }
    const bodies: readonly [string, Record<string, string>][] = [
      ['[['.repeat(1_000), json],
      ['{', json],
      ['x'.repeat(70_000), json],
      ['text=1', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['{}', json],
    ]
    for (const route of withBody) {
      for (const [raw, type] of bodies) {
        const seen = await statuses(5, async (from) => {
          const headers = { ...type, ...from }
          return (await api.request(route.method, pathOf(route, {}), { raw, headers })).status
        })
        expect([route.name, seen.slice(3)]).toEqual([route.name, [429, 429]])
        expect(seen.slice(0, 3)).not.toContain(429)
      }
    }
  })

  test('before anybody is signed in, whatever the route', async () => {
    for (const route of limited()) {
      const seen = await statuses(5, async (headers) => {
        const answer = await api.request(route.method, pathOf(route, {}), {
          as: 'x',
          headers,
          ...(route.body === null ? {} : { body: {} }),
        })
        return answer.status
      })
      expect([route.name, seen.slice(3)]).toEqual([route.name, [429, 429]])
    }
  })

  test('once, whatever its body', async () => {
    const answers: string[] = []
    await statuses(2, async (headers) => {
      const answer = await api.request('POST', '/v1/posts', {
        as: user,
        body: { text: 'x' },
        headers,
      })
      answers.push(answer.headers.get('ratelimit') ?? '')
      return answer.status
    })
    expect(answers[0]).toMatch(/^"write-address";r=2;t=60, "write";r=\d+;t=60$/)
    expect(answers[1]).toMatch(/^"write-address";r=1;t=60, /)
  })
})

test('a token that was revoked spends nothing of its owner’s, on any route', async () => {
  await using api = await openTestApi({
    settings: { rateLimits: quotas({ read: 2, write: 2, password: 2 }) },
  })
  const owner = await api.signUp('minji')
  const { body: other } = await api.request('POST', '/v1/auth/login', {
    body: { username: 'minji', password: PASSWORD },
  })
  const refreshToken = other.refreshToken
  await api.request('POST', '/v1/auth/logout', { body: { refreshToken } })
  for (const route of await documentedRoutes(api)) {
    if (route.isPublic) continue
    for (let at = 0; at < 3; at += 1) {
      const answer = await api.request(route.method, pathOf(route, {}), {
        as: other.accessToken,
        ...(route.body === null
          ? {}
          : { body: { text: 'x', until: 'x', password: PASSWORD, currentPassword: 'x' } }),
      })
      expect([401, 422]).toContain(answer.status)
      expect(answer.headers.get('ratelimit') ?? '').not.toMatch(/"(read|write|password)"/)
    }
  }
  const read = await api.request('GET', '/v1/feed', { as: owner })
  expect(read.headers.get('ratelimit')).toContain('"read";r=1;')
  const written = await api.request('POST', '/v1/posts', { as: owner, body: { text: 'x' } })
  expect(written.headers.get('ratelimit')).toContain('"write";r=1;')
})

describe('what is typed as a username', () => {
  const TYPED = [
    'my password, not my name',
    '\u0315\u0316'.repeat(8_000),
    'x'.repeat(60_000),
    'a b',
  ]

  test('is no key of a limit, and no line of the log in full', async () => {
    const keys: string[] = []
    const log = recordedLog()
    await using api = await openTestApi({
      settings: { rateLimits: quotas({ logIn: 2 }) },
      wrap: (deps) => ({
        ...deps,
        logger: log.logger,
        rateLimiters: {
          ...deps.rateLimiters,
          shared: {
            take(limit: RateLimit, key: string) {
              keys.push(key)
              return deps.rateLimiters.shared.take(limit, key)
            },
          },
        },
      }),
    })
    for (const username of TYPED) {
      const logIn = () =>
        api.request('POST', '/v1/auth/login', { body: { username, password: 'wrong password' } })
      const seen = [await logIn(), await logIn(), await logIn()]
      // Each is counted apart.
      expect(seen.map(({ status }) => status)).toEqual([401, 401, 429])
    }
    expect(keys.length).toBeGreaterThan(TYPED.length)
    for (const key of keys) {
      expect(key.length).toBeLessThan(100)
      expect(key).not.toContain('my password')
    }
    const path = `/v1/${'x'.repeat(10_000)}`
    await api.request('GET', path)
    for (const line of log.text().split('\n')) expect(line.length).toBeLessThan(1_000)
  })
})
