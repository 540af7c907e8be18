import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { Problem } from './http/problem'
import { openTestApi, type TestApi, type TestUser } from './testing/test-api'

let api: TestApi
let user: TestUser
let post: string
beforeAll(async () => {
  api = await openTestApi()
  user = await api.signUp('fuzzer')
  await api.signUp('other')
  const answer = await api.request('POST', '/v1/posts', { as: user, body: { text: 'target' } })
  post = answer.body.id
  await api.settle()
})
afterAll(() => api[Symbol.asyncDispose]())

/** Strings of every kind: lone surrogates, control characters, markup, what is special somewhere. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '%00',
    '../..',
    '*',
    '"',
    "'",
    '%',
    '_',
    '\\',
    'null',
    '-',
    'a" OR "b',
    'NEAR(a b)',
    '*:*',
    '^a',
    'a:b',
    '{}',
    '__proto__',
    'constructor',
  ),
)

const bodies = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(
    fc.constantFrom(
      'username',
      'password',
      'displayName',
      'text',
      'refreshToken',
      'currentPassword',
      '__proto__',
      'x',
    ),
    fc.oneof(text, fc.jsonValue()),
  ),
)

async function expectDefined(answer: Awaited<ReturnType<TestApi['request']>>, what: string) {
  expect(answer.status, what).toBeLessThan(500)
  if (answer.status >= 400) {
    expect(answer.headers.get('content-type'), what).toBe('application/problem+json')
    expect([...Value.Errors(Problem, answer.body)], what).toEqual([])
  }
}

const WITH_BODY = [
  ['POST', '/v1/auth/signup'],
  ['POST', '/v1/auth/login'],
  ['POST', '/v1/auth/refresh'],
  ['POST', '/v1/auth/logout'],
  ['PATCH', '/v1/me'],
  ['POST', '/v1/posts'],
  ['PATCH', '/v1/posts/:post'],
  ['POST', '/v1/posts/:post/comments'],
] as const

test('no body ever gives a 5xx', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...WITH_BODY), bodies, async ([method, path], body) => {
      const answer = await api.request(method, path.replace(':post', post), { as: user, body })
      await expectDefined(answer, `${method} ${path} ${JSON.stringify(body)}`)
    }),
    { numRuns: 400 },
  )
}, 60_000)

test.each([
  [{ refreshToken: { toString: null } }],
  [{ text: [{ toString: 1 }] }],
  [{ username: { valueOf: null }, password: { a: { toString: {} } } }],
  [{ toString: null }],
  [[{ toString: null }]],
])('no body that cannot be written as text does: %j', async (body) => {
  for (const [method, path] of WITH_BODY) {
    const answer = await api.request(method, path.replace(':post', post), { as: user, body })
    await expectDefined(answer, `${method} ${path}`)
    expect(answer.status).toBe(422)
  }
})

test('no bytes ever give a 5xx', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...WITH_BODY),
      fc.uint8Array({ maxLength: 300 }),
      async ([method, path], bytes) => {
        const answer = await api.request(method, path.replace(':post', post), {
          as: user,
          raw: new Uint8Array(bytes),
          headers: { 'content-type': 'application/json' },
        })
        await expectDefined(answer, `${method} ${path}`)
      },
    ),
    { numRuns: 150 },
  )
}, 60_000)

const LISTS = [
  '/v1/feed',
  '/v1/search/posts',
  '/v1/search/users',
  '/v1/users/other/posts',
  '/v1/users/other/followers',
  '/v1/posts/:post/comments',
  '/v1/me/blocks',
  '/v1/me/mutes',
  '/v1/me/sessions',
] as const

test('no query ever gives a 5xx', async () => {
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom('q', 'limit', 'cursor', 'author', 'since', 'until'), text),
    fc.oneof(
      text,
      fc.integer().map(String),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')),
      fc
        .tuple(
          fc.constantFrom(
            ...['feed', 'posts', 'search', 'users', 'comments', 'follows'],
            ...['blocks', 'mutes', 'sessions'],
          ),
          fc.array(fc.oneof(fc.double(), fc.integer(), fc.string())),
        )
        .map(([list, key]) => Buffer.from(JSON.stringify([list, ...key])).toString('base64url')),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    ),
    { maxKeys: 4 },
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...LISTS), query, async (path, parts) => {
      const search = Object.entries(parts)
        .map(([key, value]) => `${percentEncoded(key)}=${percentEncoded(value)}`)
        .join('&')
      const answer = await api.request('GET', `${path.replace(':post', post)}?${search}`, {
        as: user,
      })
      await expectDefined(answer, `${path}?${search}`)
    }),
    { numRuns: 500 },
  )
}, 60_000)

test('no path ever gives a 5xx', async () => {
  const routes = [
    ['GET', '/v1/users/:x'],
    ['GET', '/v1/users/:x/posts'],
    ['PUT', '/v1/users/:x/follow'],
    ['DELETE', '/v1/users/:x/mute'],
    ['GET', '/v1/posts/:x'],
    ['DELETE', '/v1/posts/:x'],
    ['PUT', '/v1/posts/:x/like'],
    ['GET', '/v1/posts/:x/comments'],
    ['DELETE', '/v1/comments/:x'],
    ['GET', '/:x'],
  ] as const
  const route = fc.constantFrom(...routes)
  const part = fc.oneof(
    text.map(percentEncoded),
    fc
      .array(fc.nat(255), { maxLength: 6 })
      .map((bytes) => bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
    fc.constantFrom('%', '%%', '%E0%A4%A', '%zz', '%2F', '9'.repeat(400), '4096', '%u0041'),
  )
  await fc.assert(
    fc.asyncProperty(route, part, async ([method, path], x) => {
      const answer = await api.request(method, path.replace(':x', x), { as: user })
      await expectDefined(answer, `${method} ${path.replace(':x', x)}`)
    }),
    { numRuns: 400 },
  )
}, 60_000)

/** Every byte as `%xx`: what `encodeURIComponent` refuses, too. */
function percentEncoded(input: string): string {
  return [...Buffer.from(input, 'utf8')]
    .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('')
}
