import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { OperatorError } from '../../errors/operator-error'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { testServers } from '../../testing/servers'
import {
  createTestElasticsearch,
  dropIndexes,
  ONE_SHARD,
  type TestElasticsearch,
} from '../../testing/test-elasticsearch'
import { createElasticsearchClient } from './client'
import { indexDefinitions, postsAlias, usersAlias } from './index-definitions'
import { createElasticsearchGenerations } from './index-generations'
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
    { urls: [url], ca: null, auth: null, verifySsl: true },
    { logger: createLogger('test', 'silent'), metrics: createMetrics() },
  )
}

const product = { 'x-elastic-product': 'Elasticsearch' }
const root = (number: string) => Response.json({ version: { number } }, { headers: product })

describe('migrating search indexes tells the operator', () => {
  const messageFrom = async (url: string) => {
    await using client = clientAt(url)
    const error = await migrateIndexes(client, { prefix: 'x', newIndex: ONE_SHARD }).then(
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

  test('names the settings where the cluster takes no more shards', async () => {
    const refused = {
      type: 'validation_exception',
      reason: 'Validation Failed: 1: this action would add [3] shards, but there is no room;',
    }
    using full = createFakeServer((path) => {
      if (path === '/') return root('9.0.0')
      if (path.includes('_alias')) return new Response(null, { status: 404, headers: product })
      return Response.json(path.endsWith('_analyze') ? {} : { error: refused }, {
        status: path.endsWith('_analyze') ? 200 : 400,
        headers: product,
      })
    })
    const message = await messageFrom(full.url.origin)
    expect(message).toContain('this action would add [3] shards')
    expect(message).toContain('ES_SHARDS and ES_REPLICAS')
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
      migrateIndexes(client, {
        prefix,
        newIndex: ONE_SHARD,
        onProgress: (...p) => void seen.push(p),
      }),
      migrateIndexes(client, { prefix, newIndex: ONE_SHARD }),
    ])
    await migrateIndexes(client, { prefix, newIndex: ONE_SHARD })
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

  test('makes them as the settings say, and leaves those that are there as their operator changed them', async () => {
    const { client } = server
    const prefix = `${server.prefix}-shaped`
    const newIndex = { shards: 3, replicas: 1, refreshMs: 700 }
    const settings = async () => {
      const found = await client.call((api, options) =>
        api.indices.getSettings({ index: `${prefix}-*`, flat_settings: true }, options),
      )
      return Object.values(found).map(({ settings = {} }) => settings as Record<string, unknown>)
    }
    const made = {
      'index.number_of_shards': '3',
      'index.number_of_replicas': '1',
      'index.refresh_interval': '700ms',
      'index.gc_deletes': '1h',
    }
    try {
      await migrateIndexes(client, { prefix, newIndex })
      expect(await settings()).toMatchObject([made, made])
      const byHand = {
        'index.number_of_replicas': '2',
        'index.refresh_interval': '5s',
        'index.gc_deletes': '6h',
      }
      await client.call((api, options) =>
        api.indices.putSettings({ index: `${prefix}-*`, settings: byHand }, options),
      )
      await migrateIndexes(client, { prefix, newIndex })
      await migrateIndexes(client, { prefix, newIndex: ONE_SHARD })
      await createElasticsearchGenerations(client, { prefix, newIndex }).current()
      const kept = { ...made, ...byHand }
      expect(await settings()).toMatchObject([kept, kept])
    } finally {
      await dropIndexes(client, prefix)
    }
  })

  test('makes a lost one, and the one beside it, by the settings of the day', async () => {
    const { client } = server
    const prefix = `${server.prefix}-lost`
    const shape = async (name: string) => {
      const found = await client.call((api, options) =>
        api.indices.getSettings({ index: `${prefix}-*${name}` }, options),
      )
      return Object.values(found).map(({ settings }) => ({
        shards: Number(settings?.index?.number_of_shards),
        replicas: Number(settings?.index?.number_of_replicas),
        refreshMs: Number.parseInt(String(settings?.index?.refresh_interval), 10),
      }))
    }
    const [first, later] = [
      { shards: 2, replicas: 1, refreshMs: 500 },
      { shards: 3, replicas: 0, refreshMs: 1_500 },
    ]
    try {
      await createElasticsearchGenerations(client, { prefix, newIndex: first }).current()
      expect(await shape('-v1')).toEqual([first, first])
      const generations = createElasticsearchGenerations(client, { prefix, newIndex: later })
      await generations.prepare()
      expect(await shape('-2*')).toEqual([later, later])
      expect(await shape('-v1')).toEqual([first, first])
      await generations.drop('next')
    } finally {
      await dropIndexes(client, prefix)
    }
  })

  test('adds the fields that an index of an earlier version lacks', async () => {
    const { client } = server
    const prefix = `${server.prefix}-earlier`
    const [posts] = indexDefinitions(prefix, ONE_SHARD)
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
      await migrateIndexes(client, { prefix, newIndex: ONE_SHARD })
      for (const name of [alias, `${alias}.previous`]) {
        expect(await fields(name)).toContain('textHash')
      }
    } finally {
      await dropIndexes(client, prefix)
    }
  })

  test('asks nothing of an index that has all fields and takes no change', async () => {
    const { client } = server
    const prefix = `${server.prefix}-blocked`
    const index = `${postsAlias(prefix)}-v1`
    const block = (isOn: boolean) =>
      client.call((api, options) =>
        api.indices.putSettings(
          { index, settings: { index: { blocks: { read_only: isOn } } } },
          options,
        ),
      )
    try {
      await migrateIndexes(client, { prefix, newIndex: ONE_SHARD })
      await block(true)
      await migrateIndexes(client, { prefix, newIndex: ONE_SHARD })
    } finally {
      await block(false)
      await dropIndexes(client, prefix)
    }
  })

  test('does not touch what stands in its place', async () => {
    const { client } = server
    const prefix = `${server.prefix}-taken`
    try {
      const index = `${postsAlias(prefix)}-v1`
      await client.call((api, options) => api.indices.create({ index }, options))
      await expect(migrateIndexes(client, { prefix, newIndex: ONE_SHARD })).rejects.toThrow(
        'without its alias',
      )
    } finally {
      await dropIndexes(client, prefix)
    }
  })
})
