import { describe, expect, test } from 'bun:test'
import { quotas } from '../testing/quotas'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../testing/test-api'

const behindProxy = { trustedProxies: [{ address: '127.0.0.0', prefix: 8 }] }

interface Ask {
  readonly api: TestApi
  readonly as: TestUser
  readonly from: string
}

type Key = 'address' | 'account' | 'address and account'

const FROM = { here: '203.0.113.1', there: '198.51.100.1' }

/** Each limit, what it counts by, and a request that it counts. */
const LIMITS: readonly [keyof typeof ASK, Key][] = [
  ['logIn', 'address and account'],
  ['signIn', 'address'],
  ['signUp', 'address'],
  ['password', 'account'],
  ['write', 'account'],
  ['writeByAddress', 'address'],
  ['read', 'account'],
  ['readByAddress', 'address'],
]

const headers = ({ from }: Ask) => ({ 'x-forwarded-for': from })
const logIn = (ask: Ask) =>
  ask.api.request('POST', '/v1/auth/login', {
    body: { username: ask.as.username, password: 'wrong password' },
    headers: headers(ask),
  })
const write = (ask: Ask) =>
  ask.api.request('PUT', `/v1/users/third/mute`, { as: ask.as, headers: headers(ask) })
const read = (path: string) => (ask: Ask) =>
  ask.api.request('GET', path, { as: ask.as, headers: headers(ask) })
const session = (path: string) => (ask: Ask) =>
  ask.api.request('POST', path, {
    body: { refreshToken: 'x'.repeat(43) },
    headers: headers(ask),
  })

const ASK = {
  logIn: [logIn],
  signIn: [logIn, session('/v1/auth/refresh'), session('/v1/auth/logout')],
  signUp: [
    (ask: Ask) =>
      ask.api.request('POST', '/v1/auth/signup', {
        body: { username: ask.as.username, password: PASSWORD },
        headers: headers(ask),
      }),
  ],
  password: [
    (ask: Ask) =>
      ask.api.request('DELETE', '/v1/me', {
        as: ask.as,
        body: { password: 'wrong password' },
        headers: headers(ask),
      }),
    (ask: Ask) =>
      ask.api.request('PATCH', '/v1/me', {
        as: ask.as,
        body: { password: 'a new password', currentPassword: 'wrong password' },
        headers: headers(ask),
      }),
  ],
  write: [write],
  writeByAddress: [write],
  read: [read('/v1/feed'), read('/v1/me')],
  readByAddress: [read('/v1/feed'), read('/v1/me')],
} as const

describe.each(LIMITS)('the limit %s', (name, key) => {
  test.each(ASK[name].map((ask) => [ask]))(`counts by ${key}`, async (ask) => {
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ [name]: 4 }) },
    })
    const [mine, theirs] = [await api.signUp('mine'), await api.signUp('theirs')]
    await api.signUp('third')
    const isRefused = async (as: TestUser, from: string) =>
      (await ask({ api, as, from })).status === 429
    const spent: boolean[] = []
    for (let at = 0; at < 6; at += 1) spent.push(await isRefused(mine, FROM.here))
    expect(spent).toEqual([false, false, false, false, true, true])
    // The same account from elsewhere, and another account from here.
    expect(await isRefused(mine, FROM.there)).toBe(key === 'account')
    expect(await isRefused(theirs, FROM.here)).toBe(key === 'address')
    expect(await isRefused(theirs, FROM.there)).toBe(false)
  })
})

test('passwords are limited by address too, whoever asks', async () => {
  await using api = await openTestApi({
    settings: { ...behindProxy, rateLimits: quotas({ writeByAddress: 4 }) },
  })
  const users = await Promise.all(['one', 'two', 'three', 'four', 'five'].map((n) => api.signUp(n)))
  const statuses: number[] = []
  for (const as of users) {
    statuses.push((await ASK.password[0]({ api, as, from: FROM.here })).status)
  }
  expect(statuses).toEqual([401, 401, 401, 401, 429])
})

test('each limit has counters of its own', async () => {
  await using api = await openTestApi({
    settings: {
      ...behindProxy,
      rateLimits: quotas({ signIn: 1, password: 1, write: 1, writeByAddress: 3, read: 1 }),
    },
  })
  const as = await api.signUp('minji')
  const ask = { api, as, from: FROM.here }
  expect((await ASK.password[0](ask)).status).toBe(401)
  expect((await read('/v1/feed')(ask)).status).toBe(200)
  expect((await logIn(ask)).status).toBe(401)
  expect((await write(ask)).status).toBe(429)
  expect((await read('/v1/feed')(ask)).status).toBe(429)
  expect((await logIn(ask)).status).toBe(429)
})
