import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openTestApi, type TestApi, type TestUser } from '../testing/test-api'

let api: TestApi
let ada: TestUser
let path: string
beforeAll(async () => {
  api = await openTestApi()
  ada = await api.signUp('ada')
  const written = await api.request('POST', '/v1/posts', { as: ada, body: { text: 'first' } })
  path = `/v1/posts/${written.body.id}`
})
afterAll(() => api[Symbol.asyncDispose]())

function get(at: string, known?: string) {
  return api.request('GET', at, {
    as: ada,
    ...(known ? { headers: { 'if-none-match': known } } : {}),
  })
}

test('whoever has the answer gets 304 without a body', async () => {
  for (const each of [path, '/v1/users/ada']) {
    const first = await get(each)
    const tag = first.headers.get('etag') ?? ''
    expect(first.status).toBe(200)
    expect(first.headers.get('content-type')).toBe('application/json')
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await get(each, known)
      expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, '', tag])
    }
    expect((await get(each, '"other"')).body).toEqual(first.body)
  }
})

test('a change is another tag', async () => {
  const tag = (await get(path)).headers.get('etag') ?? ''
  await api.request('PUT', `${path}/like`, { as: ada })
  const after = await get(path, tag)
  expect([after.status, after.body.viewer.liked]).toEqual([200, true])
})
