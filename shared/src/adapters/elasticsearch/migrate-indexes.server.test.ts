import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { OperatorError } from '../../errors/operator-error'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { testServers } from '../../testing/servers'
import {
  createTestElasticsearch,
  dropIndexes,
  type TestElasticsearch,
} from '../../testing/test-elasticsearch'
import { createElasticsearchClient } from './client'
import { indexDefinitions, postsAlias, usersAlias } from './index-definitions'
import { createIndex, migrateIndexes } from './migrate-indexes'

/** An HTTP server that answers as it is told. */
function createFakeServer(answer: (path: string) => Response) {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (r) => answer(new URL(r.url).pathname),
  })
}

function clientAt(url: string) {
  return createElasticsearchClient(
    { urls: [url], ca: null, auth: null, verifySsl: true, replicas: 0 },
    { logger: createLogger('test', 'silent'), metrics: createMetrics() },
  )
}

const product = { 'x-elastic-product': 'Elasticsearch' }
const root = (number: string) => Response.json({ version: { number } }, { headers: product })

describe('migrating search indexes tells the operator', () => {
  const messageFrom = async (url: string) => {
    await using client = clientAt(url)
    const error = await migrateIndexes(client, { prefix: 'x', replicas: 0 }).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(OperatorError)
    return (error as OperatorError).message
  }

  test('that nothing answers, without showing the password', async () => {
    const message = await messageFrom('http://user:hush@127.0.0.1:1')
    expect(message).toContain('http://127.0.0.1:1 is not reachable: check ES_URL')
    expect(message).not.toContain('hush')
  })

  test('that the server is too old', async () => {
    using server = createFakeServer(() => root('7.17.1'))
    expect(await messageFrom(server.url.origin)).toContain('is version 7.17.1; 8 or later')
  })

  test('that its credentials are wrong', async () => {
    using server = createFakeServer(() => Response.json({}, { status: 401, headers: product }))
    expect(await messageFrom(server.url.origin)).toContain('check ES_ID and ES_PASSWORD')
  })

  test('that the Korean analyzer is missing', async () => {
    using server = createFakeServer((path) =>
      path === '/' ? root('9.0.0') : Response.json({}, { status: 400, headers: product }),
    )
    expect(await messageFrom(server.url.origin)).toContain(
      'run `elasticsearch-plugin install analysis-nori`',
    )
  })
})

describe.skipIf(!testServers.elasticsearch)('migrating search indexes', () => {
  let server: TestElasticsearch

  beforeAll(async () => {
    server = await createTestElasticsearch({ migrate: false })
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('makes them behind aliases, once, however many migrate at once', async () => {
    const { client, prefix } = server
    const seen: [string, number, number][] = []
    await Promise.all([
      migrateIndexes(client, { prefix, replicas: 0, onProgress: (...p) => void seen.push(p) }),
      migrateIndexes(client, { prefix, replicas: 0 }),
    ])
    await migrateIndexes(client, { prefix, replicas: 0 })
    expect(seen).toEqual([
      [`${prefix}-posts-v1`, 1, 2],
      [`${prefix}-users-v1`, 2, 2],
    ])
    for (const alias of [postsAlias(prefix), usersAlias(prefix)]) {
      const found = await client.call((api, options) =>
        api.indices.getAlias({ name: alias }, options),
      )
      expect(found).toEqual({ [`${alias}-v1`]: { aliases: { [alias]: { is_write_index: true } } } })
    }
  })

  test('brings settings up to date', async () => {
    const { client, prefix } = server
    await migrateIndexes(client, { prefix, replicas: 2 })
    const index = postsAlias(prefix)
    const found = await client.call((api, options) =>
      api.indices.getSettings({ index, flat_settings: true }, options),
    )
    expect(Object.values(found)).toMatchObject([
      {
        settings: {
          'index.number_of_replicas': '2',
          'index.refresh_interval': '400ms',
          'index.gc_deletes': '1h',
        },
      },
    ])
  })

  test('adds the fields that an index of an earlier version lacks', async () => {
    const { client } = server
    const prefix = `${server.prefix}-earlier`
    const [posts] = indexDefinitions(prefix, 0)
    const { alias, mappings } = posts!
    const { textHash: _, ...properties } = mappings.properties ?? {}
    const earlier = { ...posts!, mappings: { ...mappings, properties } }
    const fields = async (index: string) => {
      const found = await client.call((api, options) => api.indices.getMapping({ index }, options))
      return Object.values(found).flatMap(({ mappings }) => Object.keys(mappings.properties ?? {}))
    }
    try {
      for (const name of [alias, `${alias}.previous`]) {
        await createIndex(client, { ...earlier, index: `${name}-v0` }, { [name]: {} })
        expect(await fields(name)).not.toContain('textHash')
      }
      await migrateIndexes(client, { prefix, replicas: 0 })
      for (const name of [alias, `${alias}.previous`]) {
        expect(await fields(name)).toContain('textHash')
      }
    } finally {
      await dropIndexes(client, prefix)
    }
  })

  test('does not touch what stands in its place', async () => {
    const { client } = server
    const prefix = `${server.prefix}-taken`
    try {
      const index = `${postsAlias(prefix)}-v1`
      await client.call((api, options) => api.indices.create({ index }, options))
      await expect(migrateIndexes(client, { prefix, replicas: 0 })).rejects.toThrow(
        'without its alias',
      )
    } finally {
      await dropIndexes(client, prefix)
    }
  })
})
