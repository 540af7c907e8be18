import { expect } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import type { Person } from './journey'

/** A suite that runs on `ODD_SETTINGS`. */
export interface OddSuite {
  /** Of the api. */
  readonly url: string
  readonly statusUrl: string
  /** All that its programs have printed. */
  output(): string
}

/** A value for each setting that nobody has by default, and that no two have. */
export const ODD_SETTINGS = {
  WEB_HOST: '127.0.0.2',
  DATABASE_ECHO: 'true',
  CORS_ORIGINS: 'https://odd.example',
  CORS_CREDENTIALS: 'true',
  CORS_METHODS: 'GET,PUT',
  CORS_HEADERS: 'Authorization,X-Odd',
  SECRET_KEY: 'an odd key that is known to this test alone',
  PAGE_MEMORY_MIB: '1',
  EVENT_STREAMS: '2',
  PULL_FOLLOWERS: '2',
  SESSION_MAX_DAYS: '3',
  DRAIN_DELAY: '1',
  RATE_LIMIT: 'on',
  RATE_LIMIT_LOGIN: '7/307',
  RATE_LIMIT_SIGNIN: '203/311',
  RATE_LIMIT_SIGNUP: '11/313',
  RATE_LIMIT_PASSWORD: '13/317',
  RATE_LIMIT_WRITE: '5003/331',
  RATE_LIMIT_WRITE_ADDRESS: '5009/337',
  RATE_LIMIT_READ: '5011/347',
  RATE_LIMIT_READ_ADDRESS: '5021/349',
  TRUSTED_PROXIES: '127.0.0.0/8',
  PUBLIC_URL: 'https://public.example',
  LOG_LEVEL: 'debug',
  OPERATOR_TOKEN: 'an odd token for operators, long enough',
} as const satisfies Readonly<Record<string, string>>

type Effect = (suite: OddSuite) => Promise<void>

/** By the name of a setting: what is to be seen of its odd value in a suite that runs on it. */
export const EFFECTS: Readonly<Record<string, Effect>> = {
  async WEB_HOST({ url, statusUrl }) {
    for (const each of [url, statusUrl]) {
      expect((await fetch(`${each}/livez`)).status).toBe(200)
      const elsewhere = fetch(`${each.replace(ODD_SETTINGS.WEB_HOST, '127.0.0.1')}/livez`)
      expect(await elsewhere.then(Boolean, () => false)).toBeFalse()
    }
  },

  async WEB_PORT({ url }) {
    expect((await fetch(`${url}/v1/feed`)).status).toBe(401)
  },

  async METRICS_PORT({ statusUrl }) {
    expect((await fetch(`${statusUrl}/metrics`)).status).toBe(200)
  },

  async DATABASE_ECHO({ url, output }) {
    const { username } = await signUp(url, 'echo')
    await eventually(() => output().includes('insert into') && username !== '')
  },

  async LOG_LEVEL({ url, output }) {
    await fetch(`${url}/livez`)
    await eventually(() => /"level":("debug"|20)/.test(output()))
  },

  async CORS_ORIGINS(suite) {
    const { CORS_ORIGINS: origin } = ODD_SETTINGS
    expect((await preflight(suite, origin)).get('access-control-allow-origin')).toBe(origin)
    const stranger = await preflight(suite, 'https://other.example')
    expect(stranger.get('access-control-allow-origin')).toBeNull()
  },

  async CORS_CREDENTIALS(suite) {
    expect((await preflight(suite)).get('access-control-allow-credentials')).toBe('true')
  },

  async CORS_METHODS(suite) {
    const methods = (await preflight(suite)).get('access-control-allow-methods')
    expect(list(methods)).toEqual(list(ODD_SETTINGS.CORS_METHODS))
  },

  async CORS_HEADERS(suite) {
    const headers = (await preflight(suite)).get('access-control-allow-headers')
    expect(list(headers)).toEqual(list(ODD_SETTINGS.CORS_HEADERS))
  },

  async SECRET_KEY({ url }) {
    const { token } = await signUp(url, 'signed')
    const [head, body, signature] = token.split('.')
    const signed = createHmac('sha256', ODD_SETTINGS.SECRET_KEY).update(`${head}.${body}`)
    expect(signature).toBe(signed.digest('base64url'))
  },

  async PAGE_MEMORY_MIB(suite) {
    const writer = await signUp(suite.url, 'writer')
    // Three bytes a character: 2 MiB of posts, twice as much as may be kept.
    const text = '가'.repeat(1_900)
    for (let n = 0; n < 40; n++) {
      await Promise.all(Array.from({ length: 10 }, () => write(writer, text)))
    }
    await readAll(writer)
    const misses = () => metric(suite.statusUrl, 'sns_page_piece_lookups_total', { result: 'miss' })
    const before = await misses()
    await readAll(writer)
    expect((await misses()) - before).toBeGreaterThan(0)
  },

  async EVENT_STREAMS({ url }) {
    const people = await Promise.all(['one', 'two', 'three'].map((name) => signUp(url, name)))
    const statuses: number[] = []
    const stop = new AbortController()
    for (const { token } of people) {
      const headers = { authorization: `Bearer ${token}` }
      const { status } = await fetch(`${url}/v1/events`, { headers, signal: stop.signal })
      statuses.push(status)
    }
    stop.abort()
    expect(statuses).toEqual([200, 200, 429])
  },

  async PULL_FOLLOWERS({ url, output }) {
    /** Posts by somebody whom so many follow; all of them find it. */
    const postTo = async (followers: number) => {
      const [writer, ...readers] = await Promise.all(
        Array.from({ length: 1 + followers }, (_, n) => signUp(url, `pull${n}`)),
      )
      const follow = { username: writer!.username }
      for (const { client } of readers) {
        expect((await client.v1.users(follow).follow.put()).status).toBe(204)
        expect((await client.v1.feed.get()).data?.items).toEqual([])
      }
      const id = await write(writer!, `to ${followers}`)
      for (const { client } of readers) {
        await eventually(async () => (await client.v1.feed.get()).data?.items[0]?.id === id)
      }
      return writer!.session.user.id
    }
    const isPulled = (author: string) =>
      output()
        .split('\n')
        .some((line) => line.includes(`"author":${author},`) && /merged|pull/.test(line))
    const [few, many] = [await postTo(2), await postTo(3)]
    await eventually(() => isPulled(many))
    expect(isPulled(few)).toBeFalse()
  },

  async SESSION_MAX_DAYS({ url }) {
    const { client } = await signUp(url, 'session')
    const { data } = await client.v1.me.sessions.get()
    const [session] = data!.items
    const lasts = Date.parse(String(session!.expiresAt)) - Date.parse(String(session!.createdAt))
    expect(lasts).toBe(Number(ODD_SETTINGS.SESSION_MAX_DAYS) * 24 * 3_600_000)
  },

  RATE_LIMIT: async ({ url }) =>
    expect((await fetch(`${url}/v1/feed`)).headers.get('ratelimit-policy')).toBeString(),
  RATE_LIMIT_LOGIN: (suite) => announces(suite, 'RATE_LIMIT_LOGIN', 'login', logIn),
  RATE_LIMIT_SIGNIN: (suite) => announces(suite, 'RATE_LIMIT_SIGNIN', 'signin', logIn),
  async RATE_LIMIT_SIGNUP({ url }) {
    const headers = { 'x-forwarded-for': '203.0.113.11', 'content-type': 'application/json' }
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) {
      const answer = await fetch(`${url}/v1/auth/signup`, { method: 'POST', body: '{}', headers })
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([...Array.from({ length: 11 }, () => 422), 429])
  },
  RATE_LIMIT_PASSWORD: (suite) =>
    announces(suite, 'RATE_LIMIT_PASSWORD', 'password', ({ url }, { token }) =>
      ask(url, 'PATCH', '/v1/me', token, { password: 'another odd one', currentPassword: 'wrong' }),
    ),
  RATE_LIMIT_WRITE: (suite) => announces(suite, 'RATE_LIMIT_WRITE', 'write', writeOne),
  RATE_LIMIT_WRITE_ADDRESS: (suite) =>
    announces(suite, 'RATE_LIMIT_WRITE_ADDRESS', 'write-address', writeOne),
  RATE_LIMIT_READ: (suite) => announces(suite, 'RATE_LIMIT_READ', 'read', readOne),
  RATE_LIMIT_READ_ADDRESS: (suite) =>
    announces(suite, 'RATE_LIMIT_READ_ADDRESS', 'read-address', readOne),

  async TRUSTED_PROXIES({ url }) {
    const remaining = async (address: string) => {
      const answer = await fetch(`${url}/v1/feed`, { headers: { 'x-forwarded-for': address } })
      return Number(/"read-address";r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1])
    }
    const first = await remaining('203.0.113.21')
    expect(await remaining('203.0.113.21')).toBe(first - 1)
    expect(await remaining('203.0.113.22')).toBe(first)
  },

  async PUBLIC_URL({ url }) {
    const person = await signUp(url, 'linked')
    for (const text of ['one', 'two']) await write(person, text)
    const answer = await ask(url, 'GET', '/v1/feed?limit=1', person.token)
    expect(answer.headers.get('link')).toStartWith(`<${ODD_SETTINGS.PUBLIC_URL}/v1/feed?`)
  },

  async OPERATOR_TOKEN({ statusUrl }) {
    const verify = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${statusUrl}/memory/verify?limit=1`, { method: 'POST', headers })).status
    }
    expect(await verify(ODD_SETTINGS.OPERATOR_TOKEN)).toBe(200)
    expect(await verify('another token for operators, long enough')).toBeGreaterThanOrEqual(400)
  },
}

let addresses = 0

/** Signs somebody up from an address of their own, so that no limit of an address is reached. */
export async function signUp(url: string, name: string): Promise<Person> {
  addresses += 1
  const username = `${name}_${Math.random().toString(36).slice(2, 10)}`
  const answer = await fetch(`${url}/v1/auth/signup`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': `198.51.${addresses >> 8}.${addresses & 255}`,
    },
    body: JSON.stringify({ username, password: 'correct horse battery staple' }),
  })
  if (answer.status !== 201) throw new Error(`sign up answered ${answer.status}`)
  const session = (await answer.json()) as Person['session']
  const token = session.accessToken
  return { username, client: createClient(url, { token }), token, session }
}

/** A metric of a program, summed over its series that have these labels. */
export async function metric(
  statusUrl: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${statusUrl}/metrics`)).text()
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return text
    .split('\n')
    .filter((line) => new RegExp(`^${name}[ {]`).test(line))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function preflight({ url }: OddSuite, origin: string = ODD_SETTINGS.CORS_ORIGINS) {
  const headers = { origin, 'access-control-request-method': 'PUT' }
  return (await fetch(`${url}/v1/feed`, { method: 'OPTIONS', headers })).headers
}

function list(text: string | null): string[] {
  return (text ?? '').split(',').map((each) => each.trim().toLowerCase())
}

async function write({ client }: Person, text: string): Promise<string> {
  const { data, status } = await client.v1.posts.post({ text })
  if (!data) throw new Error(`posting answered ${status}`)
  return data.id
}

async function readAll({ client }: Person): Promise<void> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { data } = await client.v1.feed.get({ query: { limit: 100, ...(cursor && { cursor }) } })
    cursor = data!.nextCursor
  }
}

function ask(url: string, method: string, path: string, token: string, body?: unknown) {
  return fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

type Request = (suite: OddSuite, person: Person) => Promise<Response>

const logIn: Request = ({ url }, { username }) =>
  ask(url, 'POST', '/v1/auth/login', '', { username, password: 'wrong' })
const writeOne: Request = ({ url }, { token }) =>
  ask(url, 'POST', '/v1/posts', token, { text: 'one' })
const readOne: Request = ({ url }, { token }) => ask(url, 'GET', '/v1/feed', token)

/** An answer names each limit that it was counted by. */
async function announces(
  suite: OddSuite,
  setting: keyof typeof ODD_SETTINGS,
  name: string,
  request: Request,
): Promise<void> {
  const [quota, seconds] = ODD_SETTINGS[setting].split('/')
  const answer = await request(suite, await signUp(suite.url, 'limited'))
  expect(answer.headers.get('ratelimit-policy')).toContain(`"${name}";q=${quota};w=${seconds}`)
}
