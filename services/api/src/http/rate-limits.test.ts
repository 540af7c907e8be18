import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { eventually } from '@sns/shared/testing/eventually'
import { recordedLog } from '@sns/shared/testing/recorded-log'
import { quotas } from '../testing/quotas'
import { openTestApi, PASSWORD, type TestApi } from '../testing/test-api'

const logIn = (api: TestApi, username: string, password = 'wrong password', from?: string) =>
  api.request('POST', '/v1/auth/login', {
    body: { username, password },
    headers: from === undefined ? {} : { 'x-forwarded-for': from },
  })

const behindProxy = { trustedProxies: [{ address: '127.0.0.0', prefix: 8 }] }

describe('limits', () => {
  test('refuse sign-ins beyond the quota of one address and username, and nobody else', async () => {
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ logIn: 3 }) },
    })
    const owner = await api.signUp('minsu')
    const statuses: number[] = []
    for (let at = 0; at < 6; at += 1) {
      statuses.push((await logIn(api, at % 2 ? 'minsu' : 'MINSU', undefined, '203.0.113.9')).status)
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429])
    const refused = await logIn(api, 'minsu', PASSWORD, '203.0.113.9')
    expect(refused.status).toBe(429)
    expect(refused.body).toMatchObject({ code: 'too_many_requests', status: 429 })
    expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 301)
    expect((await logIn(api, 'another', undefined, '203.0.113.9')).status).toBe(401)
    // The owner, from elsewhere, is not locked out by what a stranger tries.
    expect((await logIn(api, owner.username, PASSWORD, '198.51.100.7')).status).toBe(200)
  })

  test('say how far a client is, in the fields of the draft', async () => {
    await using api = await openTestApi({
      settings: { rateLimits: quotas({ signIn: 5, logIn: 3 }) },
    })
    const { headers } = await logIn(api, 'nobody')
    expect(headers.get('ratelimit-policy')).toBe('"signin";q=5;w=300, "login";q=3;w=300')
    expect(headers.get('ratelimit')).toMatch(/^"signin";r=4;t=300, "login";r=2;t=300$/)
    await logIn(api, 'nobody')
    await logIn(api, 'nobody')
    const refused = await logIn(api, 'nobody')
    expect(refused.headers.get('ratelimit')).toMatch(/"login";r=0;t=\d+$/)
  })

  test('hold for sign-ups, refreshes, and what asks for the password', async () => {
    await using api = await openTestApi({
      settings: { rateLimits: quotas({ signUp: 1, signIn: 2, password: 2 }) },
    })
    const user = await api.signUp('first')
    const body = { username: 'second', password: PASSWORD }
    expect((await api.request('POST', '/v1/auth/signup', { body })).status).toBe(429)
    const refresh = () =>
      api.request('POST', '/v1/auth/refresh', { body: { refreshToken: 'x'.repeat(43) } })
    expect([(await refresh()).status, (await refresh()).status, (await refresh()).status]).toEqual([
      401, 401, 429,
    ])
    const forget = () =>
      api.request('DELETE', '/v1/me', { as: user, body: { password: 'wrong password' } })
    const change = () =>
      api.request('PATCH', '/v1/me', {
        as: user,
        body: { password: 'another password', currentPassword: 'wrong password' },
      })
    expect([(await forget()).status, (await change()).status]).toEqual([401, 401])
    expect([(await forget()).status, (await change()).status]).toEqual([429, 429])
    // What needs no password goes on.
    const name = { displayName: 'First' }
    expect((await api.request('PATCH', '/v1/me', { as: user, body: name })).status).toBe(200)
  })

  test('hold for writes and reads, by account and by address, apart from each other', async () => {
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ write: 2, read: 3, readByAddress: 5 }) },
    })
    const [ann, bob] = [await api.signUp('ann'), await api.signUp('bob')]
    const post = (as: typeof ann) =>
      api.request('POST', '/v1/posts', { as, body: { text: 'x' } }).then(({ status }) => status)
    expect([await post(ann), await post(ann), await post(ann), await post(bob)]).toEqual([
      201, 201, 429, 201,
    ])
    const feed = (as: typeof ann, from: string) =>
      api
        .request('GET', '/v1/feed', { as, headers: { 'x-forwarded-for': from } })
        .then(({ status }) => status)
    const reads: number[] = []
    for (let at = 0; at < 4; at += 1) reads.push(await feed(ann, '198.51.100.1'))
    expect(reads).toEqual([200, 200, 200, 429])
    expect([await feed(bob, '198.51.100.1'), await feed(bob, '198.51.100.1')]).toEqual([200, 429])
    expect(await feed(bob, '198.51.100.2')).toBe(200)
  })

  test('count every address of one IPv6 network as one client', async () => {
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ signIn: 2 }) },
    })
    const from = (host: string) => logIn(api, `user_${host}`, undefined, `2001:db8:1:2::${host}`)
    expect([(await from('1')).status, (await from('2')).status, (await from('3')).status]).toEqual([
      401, 401, 429,
    ])
    expect((await logIn(api, 'x1', undefined, '2001:db8:1:3::1')).status).toBe(401)
  })

  test('leave probes alone, and do nothing where they are off', async () => {
    await using api = await openTestApi({
      settings: { rateLimits: quotas({ readByAddress: 1, read: 1 }) },
    })
    for (let at = 0; at < 5; at += 1) {
      const answer = await api.request('GET', '/livez')
      expect(answer.status).toBe(200)
      expect(answer.headers.has('ratelimit')).toBe(false)
    }
    await using off = await openTestApi({
      settings: { rateLimits: { ...quotas({ logIn: 1 }), isOn: false } },
    })
    for (let at = 0; at < 5; at += 1) {
      const answer = await logIn(off, 'nobody')
      expect(answer.status).toBe(401)
      expect(answer.headers.has('ratelimit')).toBe(false)
    }
  })
})

describe('events of accounts', () => {
  test('are lines with address and username as typed, never with a password', async () => {
    const log = recordedLog()
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ logIn: 1 }) },
      wrap: (deps) => ({ ...deps, logger: log.logger }),
    })
    const user = await api.signUp('minji')
    await logIn(api, 'MinJi', 'a wrong password', '203.0.113.9')
    await logIn(api, 'MinJi', 'a wrong password', '203.0.113.9')
    await logIn(api, 'minji', PASSWORD, '198.51.100.1')
    await api.request('DELETE', '/v1/me', { as: user, body: { password: PASSWORD } })
    const events = log
      .text()
      .split('\n')
      .filter((line) => line.includes('"event"'))
      .map((line) => JSON.parse(line))
    expect(events).toMatchObject([
      { event: 'signed_up', username: 'minji', address: '127.0.0.1' },
      { event: 'login_refused', username: 'MinJi', address: '203.0.113.9' },
      { event: 'rate_limited', path: '/v1/auth/login', address: '203.0.113.9' },
      { event: 'logged_in', username: 'minji', address: '198.51.100.1' },
      { event: 'account_deleted', username: 'minji' },
    ])
    expect(log.text()).not.toContain('password":"')
    expect(log.text()).not.toContain(PASSWORD)
    const problems = await api.deps.metrics.registry.metrics()
    expect(problems).toContain('sns_http_problems_total{code="bad_credentials"} 1')
    expect(problems).toContain('sns_http_problems_total{code="too_many_requests"} 1')
  })

  test('are what the filter in the documentation finds', async () => {
    const page = await Bun.file(join(import.meta.dir, '../../../../docs/08-accounts.md')).text()
    const [, regex = ''] = /^failregex = (.+)$/m.exec(page) ?? []
    const pattern = new RegExp(regex.replace('<HOST>', '(?<host>[0-9a-f.:]+)'))
    const log = recordedLog()
    await using api = await openTestApi({
      settings: { ...behindProxy, rateLimits: quotas({ logIn: 1 }) },
      wrap: (deps) => ({ ...deps, logger: log.logger }),
    })
    await api.signUp('minji')
    await logIn(api, 'minji', PASSWORD, '198.51.100.1')
    // What is typed cannot pass for another address.
    await logIn(api, 'x', '","address":"6.6.6.6"', '203.0.113.9')
    await logIn(api, 'x', 'wrong password', '203.0.113.9')
    const found = log
      .text()
      .split('\n')
      .flatMap((line) => pattern.exec(line)?.groups?.host ?? [])
    expect(found).toEqual(['203.0.113.9', '203.0.113.9'])
  })
})

test('sign-ins whose clients have gone are never hashed, and hold up nobody', async () => {
  await using api = await openTestApi()
  await api.signUp('minji')
  const { verify } = Bun.password
  const free = Promise.withResolvers<void>()
  let hashed = 0
  Bun.password.verify = (async (password: string, hash: string) => {
    hashed += 1
    await free.promise
    return verify(password, hash)
  }) as typeof verify
  const inFlight = async () => (await api.deps.metrics.httpInFlight.get()).values[0]?.value
  try {
    const places = Math.max(2, navigator.hardwareConcurrency)
    const held = Array.from({ length: places }, () => logIn(api, 'nobody'))
    await eventually(() => hashed === places)
    const gone = new AbortController()
    const body = JSON.stringify({ username: 'nobody', password: 'wrong password' })
    const abandoned = Array.from({ length: 60 }, () =>
      fetch(`${api.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: gone.signal,
      }).catch(() => null),
    )
    await eventually(async () => (await inFlight()) === places + 60)
    gone.abort()
    await Promise.all(abandoned)
    await eventually(async () => (await inFlight()) === places)
    const real = logIn(api, 'minji', PASSWORD)
    free.resolve()
    expect((await real).status).toBe(200)
    await Promise.all(held)
    expect(hashed).toBe(places + 1)
  } finally {
    free.resolve()
    Bun.password.verify = verify
  }
})
