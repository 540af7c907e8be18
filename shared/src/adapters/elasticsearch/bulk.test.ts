import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import type { SearchChange } from '../../ports/search-index'
import { counted } from '../../testing/counted'
import { applyBulk } from './bulk'
import { createElasticsearchClient } from './client'

type Answer = { status: number; error?: { type: string; reason: string } }

const overloaded = { type: 'es_rejected_execution_exception', reason: 'queue full' }

interface BulkRequest {
  readonly requireAlias: string | null
  readonly lines: string
}

/** A server that answers each item of a bulk request by its id and the number of the request. */
function createFake(answer: (id: string, request: number) => Answer, aliasStatus = 200) {
  const requests: BulkRequest[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const headers = { 'x-elastic-product': 'Elasticsearch' }
      const { pathname, searchParams } = new URL(request.url)
      if (pathname !== '/_bulk') return Response.json({}, { status: aliasStatus, headers })
      const lines = await request.text()
      requests.push({ requireAlias: searchParams.get('require_alias'), lines })
      const nth = requests.length
      const items = [...lines.matchAll(/^\{"(index|delete)":\{.*?"_id":"(\d+)"/gm)].map(
        ([, op = '', id = '']) => ({ [op]: answer(id, nth) }),
      )
      return Response.json({ items }, { headers })
    },
  })
  const metrics = createMetrics()
  const client = createElasticsearchClient(
    { urls: [server.url.origin], ca: null, auth: null, verifySsl: true },
    { logger: createLogger('test', 'silent'), metrics },
  )
  return {
    client,
    requests,
    retries: () => counted(metrics.storeRetries),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server.stop(true)
    },
  }
}

function post(id: number, text = 'x'): SearchChange {
  return {
    op: 'index',
    version: (31n << 58n) + 1n,
    document: { kind: 'post', id: id as PostId, authorId: 2 as UserId, text, createdAt: 3 },
  }
}

const removal: SearchChange = { op: 'delete', version: 4n, kind: 'user', id: 9 }
const names = { post: 'p-posts', user: 'p-users' }

describe('a bulk', () => {
  test('writes versions as digits and takes nothing but aliases', async () => {
    await using fake = createFake(() => ({ status: 200 }))
    await applyBulk(fake.client, [post(1, '영화'), removal], { names })
    expect(fake.requests).toHaveLength(1)
    expect(fake.requests[0]?.requireAlias).toBe('true')
    expect(fake.requests[0]?.lines).toBe(
      '{"index":{"_index":"p-posts","_id":"1","version":8935141660703064065,"version_type":"external_gte"}}\n' +
        '{"id":1,"authorId":2,"createdAt":3,"text":"영화","textHash":6417494211272088,"grams":"영화 화"}\n' +
        '{"delete":{"_index":"p-users","_id":"9","version":4,"version_type":"external_gte"}}\n',
    )
  })

  test('tells items apart', async () => {
    const wrong = { type: 'document_parsing_exception', reason: 'odd' }
    await using fake = createFake((id) =>
      id === '1' ? { status: 201 } : id === '2' ? { status: 409 } : { status: 400, error: wrong },
    )
    const odd = post(3)
    expect(await applyBulk(fake.client, [post(1), post(2), odd], { names })).toEqual({
      applied: 1,
      stale: 1,
      rejected: [{ change: odd, reason: 'document_parsing_exception: odd' }],
    })
  })

  test.each([
    'index_closed_exception',
    'illegal_argument_exception',
    'strict_dynamic_mapping_exception',
    'something_new_exception',
  ])('sends again what a 400 of %s refused: it says nothing of the document', async (type) => {
    const error = { type, reason: 'for now' }
    await using fake = createFake((id, request) =>
      id === '2' && request < 3 ? { status: 400, error } : { status: 201 },
    )
    expect(await applyBulk(fake.client, [post(1), post(2)], { names })).toEqual({
      applied: 2,
      stale: 0,
      rejected: [],
    })
    expect(await fake.retries()).toBe(2)
  })

  test('gives the reason of a refusal without the value that does not fit', async () => {
    const reason = "failed to parse field [createdAt]. Preview of field's value: 'it's odd'"
    await using fake = createFake(() => ({
      status: 400,
      error: { type: 'document_parsing_exception', reason },
    }))
    const { rejected } = await applyBulk(fake.client, [post(1)], { names })
    expect(rejected[0]?.reason).toStartWith('document_parsing_exception: failed to parse field')
    expect(rejected[0]?.reason).not.toContain('odd')
  })

  test('takes a delete that finds nothing for done, but not a missing index', async () => {
    await using fake = createFake(() => ({ status: 404 }))
    expect(await applyBulk(fake.client, [removal], { names })).toMatchObject({ applied: 1 })
    const error = { type: 'index_not_found_exception', reason: 'no such index' }
    await using missing = createFake(() => ({ status: 404, error }))
    await expect(applyBulk(missing.client, [removal], { names })).rejects.toThrow('elasticsearch')
  })

  test('writes no delete where the alias is missing', async () => {
    await using fake = createFake(() => ({ status: 200 }), 404)
    const result = applyBulk(fake.client, [post(1), removal], { names })
    await expect(result).rejects.toMatchObject({ code: 'store_unavailable' })
    await result.catch(() => {})
    expect(fake.requests).toEqual([])
  })

  test('sends again just what there was no room for', async () => {
    await using fake = createFake((id, request) =>
      id === '2' && request < 3 ? { status: 429, error: overloaded } : { status: 200 },
    )
    const result = await applyBulk(fake.client, [post(1), post(2), post(3)], { names })
    expect(result).toEqual({ applied: 3, stale: 0, rejected: [] })
    expect(fake.requests.map(({ lines }) => lines.match(/"_id":"\d"/g))).toEqual([
      ['"_id":"1"', '"_id":"2"', '"_id":"3"'],
      ['"_id":"2"'],
      ['"_id":"2"'],
    ])
    expect(await fake.retries()).toBe(2)
  })

  test('gives up after a while, for the caller to come again', async () => {
    await using fake = createFake(() => ({ status: 503, error: overloaded }))
    const result = applyBulk(fake.client, [post(1)], { names })
    await expect(result).rejects.toMatchObject({ code: 'store_unavailable' })
    await result.catch(() => {})
    expect(fake.requests).toHaveLength(5)
  })

  test('is cut by bytes and by items, and does not outgrow its concurrency', async () => {
    const many = Array.from({ length: 10 }, (_, n) => post(n + 1, 'y'.repeat(500)))
    await using byBytes = createFake(() => ({ status: 200 }))
    const result = await applyBulk(byBytes.client, many, { names, maxBytes: 2_500 })
    expect(result.applied).toBe(10)
    expect(byBytes.requests.length).toBeGreaterThanOrEqual(3)
    for (const { lines } of byBytes.requests) expect(lines.length).toBeLessThanOrEqual(2_500)
    await using byItems = createFake(() => ({ status: 200 }))
    await applyBulk(byItems.client, many, { names, maxItems: 4 })
    expect(byItems.requests).toHaveLength(3)
    await using tooLong = createFake(() => ({ status: 200 }))
    await applyBulk(tooLong.client, many, { names, maxBytes: 10 })
    expect(tooLong.requests).toHaveLength(10)
  })

  test('is no request where there is nothing to do', async () => {
    await using fake = createFake(() => ({ status: 200 }))
    expect(await applyBulk(fake.client, [], { names })).toEqual({
      applied: 0,
      stale: 0,
      rejected: [],
    })
    expect(fake.requests).toEqual([])
  })
})
