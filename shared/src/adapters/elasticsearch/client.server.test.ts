import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { parseSearchQuery } from '../../domain/search-query'
import { isSnsError } from '../../errors/sns-error'
import { counted } from '../../testing/counted'
import { recordedLog } from '../../testing/recorded-log'
import { testServers } from '../../testing/servers'
import { createTcpProxy, type TcpProxy } from '../../testing/tcp-proxy'
import { createTestElasticsearch, type TestElasticsearch } from '../../testing/test-elasticsearch'
import { ElasticsearchRefusal } from './client'
import { createElasticsearchSearchIndex } from './search-index'

const search = {
  authorId: null,
  since: null,
  until: null,
  excludeAuthors: [],
  after: null,
  limit: 9,
}
const removal = { op: 'delete', kind: 'post', id: 1, version: 1n } as const
const post = {
  op: 'index',
  version: 1n,
  document: { kind: 'post', id: 1 as PostId, authorId: 2 as UserId, text: 'x', createdAt: 3 },
} as const

describe.skipIf(!testServers.elasticsearch)('an Elasticsearch client', () => {
  let proxy: TcpProxy
  let server: TestElasticsearch

  beforeAll(async () => {
    proxy = await createTcpProxy(testServers.elasticsearch ?? '')
    server = await createTestElasticsearch({ url: proxy.url })
  })
  afterAll(async () => {
    await proxy?.resume()
    await server?.[Symbol.asyncDispose]()
    await proxy?.[Symbol.asyncDispose]()
  })

  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'fine',
      (error: unknown) => (isSnsError(error) ? error.code : error),
    )
  const counts = async () => {
    const { storeErrors, storeRetries } = server.metrics
    return { errors: await counted(storeErrors), retries: await counted(storeRetries) }
  }

  test('says what was refused without the values of the request', async () => {
    const value = 'what-somebody-wrote'
    const log = recordedLog()
    await using server = await createTestElasticsearch({ logger: log.logger })
    const index = `${server.prefix}-posts`
    for (const query of [
      { term: { createdAt: value } },
      { range: { createdAt: { gte: `it's ${value}` } } },
    ]) {
      const error = await server.client
        .call((api, options) => api.search({ index, query }, options), { attempts: 1 })
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ElasticsearchRefusal)
      expect(error).toMatchObject({ status: 400, type: 'search_phase_execution_exception' })
      expect(Bun.inspect(error, { depth: 20 })).not.toContain(value)
      log.logger.error({ err: error }, 'failed')
    }
    expect(log.text()).not.toContain(value)
  })

  test('says so when the server is gone, counts it, and goes on when it is back', async () => {
    const index = createElasticsearchSearchIndex(server.client, { prefix: server.prefix })
    expect(await codeOf(server.client.health.check())).toBe('fine')
    await proxy.cut()
    const before = await counts()
    expect(await codeOf(index.searchPosts({ ...search, query: parseSearchQuery('word') }))).toBe(
      'store_unavailable',
    )
    expect(await codeOf(index.apply([removal]))).toBe('store_unavailable')
    expect(await codeOf(server.client.health.check())).toBe('store_unavailable')
    const after = await counts()
    expect(after.errors - before.errors).toBe(3)
    expect(after.retries - before.retries).toBe(4)
    await proxy.resume()
    expect(await codeOf(index.searchPosts({ ...search, query: parseSearchQuery('word') }))).toBe(
      'fine',
    )
    expect(await codeOf(index.apply([removal]))).toBe('fine')
  })

  test('waits for a server that hangs no longer than it was told', async () => {
    proxy.stall()
    const info = server.client.call((api, options) => api.info({}, options), { timeoutMs: 200 })
    expect(await codeOf(info)).toBe('store_unavailable')
    await proxy.resume()
    expect(await codeOf(server.client.health.check())).toBe('fine')
  })

  test('takes a missing index for something the operator can mend', async () => {
    const index = createElasticsearchSearchIndex(server.client, { prefix: `${server.prefix}-none` })
    expect(await codeOf(index.searchPosts({ ...search, query: parseSearchQuery('word') }))).toBe(
      'store_unavailable',
    )
    expect(await codeOf(index.apply([removal]))).toBe('store_unavailable')
    expect(await codeOf(index.apply([post]))).toBe('store_unavailable')
    const made = await server.client.call((api, options) =>
      api.cat.indices({ index: `${server.prefix}-none*`, format: 'json' }, options),
    )
    expect(made).toEqual([])
  })

  test('lets a request that is wrong through as it is', async () => {
    const wrong = server.client.call((api, options) =>
      api.search({ query: { range: { createdAt: { nonsense: 1 } } } as object }, options),
    )
    expect(await codeOf(wrong)).toMatchObject({ name: 'ElasticsearchRefusal', status: 400 })
  })
})
