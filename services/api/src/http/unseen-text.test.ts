import { afterAll, beforeAll, expect, test } from 'bun:test'
import { expectProblem } from '../testing/expectations'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../testing/test-api'

let api: TestApi
let user: TestUser
let post: string
beforeAll(async () => {
  api = await openTestApi()
  user = await api.signUp('seen')
  post = (await api.request('POST', '/v1/posts', { as: user, body: { text: 'a post' } })).body.id
})
afterAll(() => api[Symbol.asyncDispose]())

const UNSEEN = [
  '\u3164',
  '\u2800',
  '\ufe0f',
  '\u034f',
  '\u17b5',
  ' \u200b\u2800\n\u{e0041}\u{1d159}',
]

const FIELDS: readonly [method: string, path: () => string, field: string][] = [
  ['POST', () => '/v1/posts', 'text'],
  ['PATCH', () => `/v1/posts/${post}`, 'text'],
  ['POST', () => `/v1/posts/${post}/comments`, 'text'],
  ['PATCH', () => '/v1/me', 'displayName'],
  ['POST', () => '/v1/auth/signup', 'displayName'],
  ['POST', () => '/v1/auth/signup', 'password'],
]

test.each(FIELDS)('%s %p refuses a %s that shows nothing', async (method, path, field) => {
  for (const unseen of UNSEEN) {
    const signup = path().endsWith('signup') ? { username: 'unseen', password: PASSWORD } : {}
    const body = { ...signup, [field]: field === 'password' ? unseen.repeat(8) : unseen }
    const answer = await api.request(method, path(), { as: user, body })
    expectProblem(answer, 'invalid_request')
    expect(answer.status).toBe(422)
    expect(answer.body.fields[0].field).toBe(field)
    expect(answer.body.detail).toMatch(/must hold something/)
  }
})

test.each(['posts', 'users'])('a search for %s that shows nothing is refused', async (what) => {
  for (const unseen of UNSEEN) {
    const path = `/v1/search/${what}?q=${encodeURIComponent(unseen)}`
    const answer = await api.request('GET', path, { as: user })
    expectProblem(answer, 'invalid_request')
    expect(answer.body.fields[0].field).toBe('query.q')
  }
})
