import { afterEach, expect, test } from 'bun:test'
import { Client, errors } from '@elastic/elasticsearch'
import { FetchConnection } from './fetch-connection'

let close: () => Promise<void> = async () => {}
afterEach(() => close())

/** The vendor's client, and a server that answers as `answer` says. */
function open(answer: (request: Request) => Response | Promise<Response>) {
  const requests: {
    readonly method: string
    readonly url: string
    readonly headers: Headers
    readonly text: string
  }[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { method, url, headers } = request
      requests.push({ method, url, headers, text: await request.text() })
      return answer(request)
    },
  })
  const auth = { username: 'sns', password: 'a secret' }
  const node = `http://127.0.0.1:${server.port}`
  const client = new Client({ node, Connection: FetchConnection, maxRetries: 0, auth })
  close = async () => {
    await client.close()
    await server.stop(true)
  }
  return { client, requests, server }
}

const json = (body: unknown, status = 200) =>
  Response.json(body, { status, headers: { 'x-elastic-product': 'Elasticsearch' } })

test('a search goes out with its query, its body and who asks, and its answer comes back', async () => {
  const { client, requests } = open(() => json({ hits: { hits: [{ _id: '글' }] } }))
  const { hits } = await client.search({
    index: 'posts',
    preference: 'a b',
    query: { match_all: {} },
  })
  expect(hits.hits.map(({ _id }) => _id)).toEqual(['글'])
  const [request] = requests
  const { pathname, searchParams } = new URL(request?.url ?? '')
  expect([request?.method, pathname, searchParams.get('preference')]).toEqual([
    'POST',
    '/posts/_search',
    'a b',
  ])
  expect(request?.headers.get('authorization')).toBe(`Basic ${btoa('sns:a secret')}`)
  expect(JSON.parse(request?.text ?? '')).toEqual({ query: { match_all: {} } })
})

test('lines of a bulk request arrive as they are', async () => {
  const { client, requests } = open(() => json({ errors: false, items: [] }))
  await client.transport.request({
    method: 'POST',
    path: '/_bulk',
    bulkBody: '{"delete":{"_id":"9223372036854775807"}}\n',
  })
  expect(requests[0]?.text).toBe('{"delete":{"_id":"9223372036854775807"}}\n')
})

test('a question without a body has no answer but its status', async () => {
  const { client } = open(() => new Response(null, { status: 404 }))
  expect(await client.indices.exists({ index: 'posts' })).toBe(false)
})

test('a refusal has its status and its reason', async () => {
  const body = { error: { type: 'index_not_found_exception', reason: 'no such index' } }
  const { client } = open(() => json(body, 404))
  const error = await client.search({ index: 'posts' }).catch((error) => error)
  expect(error).toBeInstanceOf(errors.ResponseError)
  expect([error.statusCode, error.body]).toEqual([404, body])
})

test('a server that is silent, in its answer too, is given up in time', async () => {
  const stop = Promise.withResolvers<Response>()
  const { client } = open(({ url }) => {
    if (!url.includes('half')) return stop.promise
    const body = new ReadableStream({ start: (stream) => stream.enqueue('{"hits":') })
    return new Response(body, { headers: { 'x-elastic-product': 'Elasticsearch' } })
  })
  for (const index of ['silent', 'half']) {
    const asked = client.search({ index }, { requestTimeout: 100 })
    expect(await asked.catch((error) => error)).toBeInstanceOf(errors.TimeoutError)
  }
  stop.resolve(json({}))
})

test('one that is not there, or hangs up, is a failed connection', async () => {
  const { client, server } = open(() => json({}))
  await client.search({ index: 'posts' })
  await server.stop(true)
  const error = await client.search({ index: 'posts' }).catch((error) => error)
  expect(error).toBeInstanceOf(errors.ConnectionError)
})

test('a request that is no longer wanted is taken back', async () => {
  const stop = Promise.withResolvers<Response>()
  const { client } = open(() => stop.promise)
  const abort = new AbortController()
  const asked = client.search({ index: 'posts' }, { signal: abort.signal })
  abort.abort()
  expect(await asked.catch((error) => error)).toBeInstanceOf(errors.RequestAbortedError)
  stop.resolve(json({}))
})
