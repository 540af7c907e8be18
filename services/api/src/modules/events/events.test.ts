import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'

let api: TestApi
let ada: TestUser
let bob: TestUser
/** What the first look-up of a stream waits for. */
let hold = Promise.resolve()
beforeAll(async () => {
  api = await openTestApi({
    wrap: (deps) => ({
      ...deps,
      notifications: {
        ...deps.notifications,
        async list(...args) {
          await hold
          return deps.notifications.list(...args)
        },
      },
    }),
  })
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
async function deliver(text: string, as = bob): Promise<string> {
  const { body } = await api.request('POST', '/v1/posts', { as, body: { text } })
  await api.fanOut()
  await api.stores.freshness.hint([{ kind: 'delivered', author: as.id }])
  return body.id
}

/** How many listen. */
async function streams(): Promise<number> {
  return (await api.deps.metrics.eventStreams.get()).values[0]?.value ?? 0
}

test('new posts come as a count, and a client that comes back gets what it missed', async () => {
  const first = await deliver('before')
  const stream = await listen(ada, `?after=${first}`)
  expect(stream.response.status).toBe(200)
  expect(stream.response.headers.get('content-type')).toStartWith('text/event-stream')
  expect(stream.response.headers.get('x-request-id')).toBeTruthy()
  expect(stream.response.headers.get('x-accel-buffering')).toBe('no')
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

test('one’s own posts are not counted, and the last event goes before `after`', async () => {
  const first = await deliver('of others')
  const stream = await listen(ada, `?after=${first}`)
  await deliver('my own', ada)
  await deliver('of others again')
  await eventually(() => stream.text.includes('event: posts\n'))
  expect(stream.text).toContain('data: {"count":1}\n')
  const id = stream.text.match(/(?<=\nid: )\S+/g)?.at(-1) ?? ''
  stream.stop()
  await deliver('one more')
  // Two are above `after`, of which the last event told of one.
  const again = await listen(ada, `?after=${first}`, { 'last-event-id': id })
  await eventually(() => again.text.includes('event: posts\n'))
  expect(again.text).toContain('data: {"count":1}\n')
  again.stop()
})

test('HEAD answers the headers and listens to nothing', async () => {
  await eventually(async () => (await streams()) === 0)
  for (let at = 0; at < 12; at += 1) {
    const answer = await api.request('HEAD', '/v1/events', { as: ada })
    expect([answer.status, answer.body]).toEqual([200, ''])
    expect(answer.headers.get('content-type')).toStartWith('text/event-stream')
    expect(await streams()).toBe(0)
  }
  expect((await api.request('HEAD', '/v1/events')).status).toBe(401)
  const stream = await listen(ada)
  expect(stream.response.status).toBe(200)
  stream.stop()
})

test('a client that goes before its stream begins frees its place', async () => {
  await eventually(async () => (await streams()) === 0)
  for (let at = 0; at < 12; at += 1) {
    const isHeld = Promise.withResolvers<void>()
    hold = isHeld.promise
    const stop = new AbortController()
    const asking = fetch(`${api.url}/v1/events`, {
      headers: { authorization: `Bearer ${ada.session.accessToken}` },
      signal: stop.signal,
    }).catch(() => null)
    await eventually(async () => (await streams()) === 1)
    stop.abort()
    await asking
    isHeld.resolve()
    await eventually(async () => (await streams()) === 0)
  }
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
