import { afterAll, beforeAll, expect, test } from 'bun:test'
import { disorderedMarks } from '@sns/shared/testing/awkward-texts'
import { normalizingWork, STEPS_PER_UNIT } from '@sns/shared/testing/normalizing-work'
import { expectProblem } from '../testing/expectations'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../testing/test-api'

let api: TestApi
let user: TestUser
let post: string
beforeAll(async () => {
  api = await openTestApi()
  user = await api.signUp('costly')
  post = (await api.request('POST', '/v1/posts', { as: user, body: { text: 'a post' } })).body.id
})
afterAll(() => api[Symbol.asyncDispose]())

/** As much as a body may hold, less the rest of the JSON. */
const BYTES = 60 * 1024

const ROUTES: readonly [
  what: string,
  method: string,
  path: () => string,
  body: (text: string) => object,
][] = [
  ['login', 'POST', () => '/v1/auth/login', (password) => ({ username: 'costly', password })],
  ['login', 'POST', () => '/v1/auth/login', (username) => ({ username, password: PASSWORD })],
  ['sign-up', 'POST', () => '/v1/auth/signup', (password) => ({ username: 'new', password })],
  [
    'sign-up',
    'POST',
    () => '/v1/auth/signup',
    (displayName) => ({ username: 'new', password: PASSWORD, displayName }),
  ],
  ['account', 'PATCH', () => '/v1/me', (displayName) => ({ displayName })],
  ['account', 'PATCH', () => '/v1/me', (password) => ({ password, currentPassword: PASSWORD })],
  [
    'account',
    'PATCH',
    () => '/v1/me',
    (currentPassword) => ({ password: 'a new password', currentPassword }),
  ],
  ['post', 'POST', () => '/v1/posts', (text) => ({ text })],
  ['edit', 'PATCH', () => `/v1/posts/${post}`, (text) => ({ text })],
  ['comment', 'POST', () => `/v1/posts/${post}/comments`, (text) => ({ text })],
]

test.each(ROUTES)(
  '%s: marks take steps by their length, and are refused',
  async (_, method, path, body) => {
    const send = (text: string) => api.request(method, path(), { as: user, body: body(text) })
    const marks = disorderedMarks(BYTES)
    const steps = await normalizingWork(() => send(marks))
    expect(steps).toBeLessThan(STEPS_PER_UNIT * BYTES)
    const answer = await send(marks)
    expectProblem(answer, answer.status === 401 ? 'bad_credentials' : 'invalid_request')
  },
)

test.each(['posts', 'users'])(
  'search for %s: marks take steps by their length, and are refused',
  async (what) => {
    const search = (q: string) =>
      api.request('GET', `/v1/search/${what}?q=${encodeURIComponent(q)}`, { as: user })
    // Percent-encoded, what the head of a request can hold.
    const marks = disorderedMarks(4_000)
    expect(await normalizingWork(() => search(marks))).toBeLessThan(STEPS_PER_UNIT * 4_000)
    expectProblem(await search(`x${'\u0316'.repeat(31)}`), 'invalid_request', ['query.q'])
  },
)

test.each([
  ['sign-up', 'POST', '/v1/auth/signup', 'password', { username: 'marked' }],
  ['sign-up', 'POST', '/v1/auth/signup', 'displayName', { username: 'marked', password: PASSWORD }],
  ['password change', 'PATCH', '/v1/me', 'password', { currentPassword: PASSWORD }],
  ['post', 'POST', '/v1/posts', 'text', {}],
])('%s: names the field with too many marks in a row', async (_, method, path, field, rest) => {
  const text = `marks${'\u0315\u0316'.repeat(16)}`
  const answer = await api.request(method, path, { as: user, body: { ...rest, [field]: text } })
  expectProblem(answer, 'invalid_request', [field])
  expect(answer.body.fields[0].message).toContain('marks in a row')
})
