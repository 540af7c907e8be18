import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'

let api: TestApi
let ada: TestUser
let bob: TestUser
beforeAll(async () => {
  api = await openTestApi()
  ada = await api.signUp('ada')
  bob = await api.signUp('bob')
  await api.request('PUT', '/v1/users/bob/follow', { as: ada })
})
afterAll(() => api[Symbol.asyncDispose]())

/** Listens over HTTP; `text` is all that came. */
async function listen(as: TestUser, query = '', headers: Record<string, string> = {}) {
  const stop = new AbortController()
  const response = await fetch(`${api.url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${as.session.accessToken}`, ...headers },
    signal: stop.signal,
  })
  const stream = { response, text: '', isClosed: false, stop: () => stop.abort() }
  ;(async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) stream.text += decoder.decode(chunk)
    stream.isClosed = true
  })().catch(() => undefined)
  return stream
}

/** A post that fan-out has delivered. */
async function deliver(text: string): Promise<string> {
  const { body } = await api.request('POST', '/v1/posts', { as: bob, body: { text } })
  await api.fanOut()
  await api.stores.freshness.hint([{ kind: 'delivered', author: bob.id }])
  return body.id
}

test('new posts come as a count, and a client that comes back gets what it missed', async () => {
  const first = await deliver('before')
  const stream = await listen(ada, `?after=${first}`)
  expect(stream.response.status).toBe(200)
  expect(stream.response.headers.get('content-type')).toStartWith('text/event-stream')
  expect(stream.response.headers.get('x-request-id')).toBeTruthy()
  await deliver('one')
  await eventually(() => stream.text.includes('event: posts\n'))
  expect(stream.text).toContain('data: {"count":1}\n')
  const id = stream.text.match(/(?<=\nid: )\S+/g)?.at(-1) ?? ''
  stream.stop()
  await deliver('two')
  await deliver('three')
  const again = await listen(ada, '', { 'last-event-id': id })
  await eventually(() => again.text.includes('data: {"count":2}\n'))
  const { body } = await api.request('GET', `/v1/feed?after=${first}`, { as: ada })
  expect(body.items.map((post: { text: string }) => post.text)).toEqual(['three', 'two', 'one'])
  again.stop()
})

test('the stream ends with its session', async () => {
  const eve = await api.signUp('eve')
  const stream = await listen(eve)
  await api.request('POST', '/v1/auth/logout', {
    body: { refreshToken: eve.session.refreshToken },
  })
  await eventually(() => stream.isClosed)
})

test('a place that is none, and a client without a session, are refused', async () => {
  expectProblem(await api.request('GET', '/v1/events'), 'unauthenticated')
  expectProblem(await api.request('GET', '/v1/events?after=x', { as: ada }), 'invalid_request', [
    'query.after',
  ])
  const headers = { 'last-event-id': 'nonsense' }
  expectProblem(await api.request('GET', '/v1/events', { as: ada, headers }), 'invalid_request', [
    'header.last-event-id',
  ])
})
