import { describe, expect, test } from 'bun:test'
import { codeOf } from '../../testing/error-code'
import { eventually } from '../../testing/eventually'
import { anyPost, post } from '../../testing/search-documents'
import { searchIndexConformance } from '../../testing/search-index-conformance'
import { testServers } from '../../testing/servers'
import { createTestElasticsearch } from '../../testing/test-elasticsearch'
import { postsAlias } from './index-definitions'
import { createElasticsearchSearchIndex } from './search-index'

describe.skipIf(!testServers.elasticsearch)('on a server', () => {
  searchIndexConformance('ElasticsearchSearchIndex', {
    exact: false,
    runs: 15,
    async open() {
      const server = await createTestElasticsearch()
      return {
        index: createElasticsearchSearchIndex(server.client, { prefix: server.prefix }),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  })

  test.each(['closed', 'without a write index', 'that lacks a field'])(
    'loses no change to an index %s: it is written once the index is mended',
    async (state) => {
      await using server = await createTestElasticsearch()
      const { client, prefix } = server
      const index = createElasticsearchSearchIndex(client, { prefix })
      const alias = postsAlias(prefix)
      const second = `${alias}-second`
      const name = `${alias}-v1`
      const properties = { id: { type: 'long' } } as const
      const breakIt = async () => {
        if (state === 'closed') return client.call((api) => api.indices.close({ index: name }))
        const mappings = { dynamic: 'strict', properties } as const
        await client.call((api) => api.indices.create({ index: second, mappings }))
        const add = { add: { index: second, alias } }
        const remove = { remove: { index: name, alias } }
        const actions = state === 'that lacks a field' ? [add, remove] : [add]
        return client.call((api) => api.indices.updateAliases({ actions }))
      }
      const mendIt = async () => {
        if (state === 'closed') return client.call((api) => api.indices.open({ index: name }))
        const add = { add: { index: name, alias } }
        const actions = [{ remove: { index: second, alias } }, add]
        return client.call((api) => api.indices.updateAliases({ actions }))
      }
      try {
        await breakIt()
        const applied = index.apply([post(1, 'a word')])
        await mendIt()
        expect(await applied).toEqual({ applied: 1, stale: 0, rejected: [] })
        await eventually(async () => {
          await index.refresh()
          return (await index.searchPosts(anyPost('word'))).length === 1
        })
      } finally {
        await client.call((api) => api.indices.delete({ index: second, ignore_unavailable: true }))
      }
    },
    20_000,
  )

  test('fails where a shard is lost: some of the hits would look like all of them', async () => {
    await using server = await createTestElasticsearch()
    const { client, prefix } = server
    const index = createElasticsearchSearchIndex(client, { prefix })
    await index.apply([post(1, 'a word')])
    await index.refresh()
    expect(await index.searchPosts(anyPost('word'))).toHaveLength(1)

    // A second index behind the alias, which no node may hold.
    const lost = `${postsAlias(prefix)}-lost`
    try {
      await client.call((api) =>
        api.indices.create({
          index: lost,
          wait_for_active_shards: 0,
          settings: { 'index.routing.allocation.require._name': 'nobody' },
          mappings: { properties: { id: { type: 'long' }, createdAt: { type: 'long' } } },
          aliases: { [postsAlias(prefix)]: {} },
        }),
      )
      expect(await codeOf(index.searchPosts(anyPost('word')))).toBe('store_unavailable')
    } finally {
      await client.call((api) => api.indices.delete({ index: lost, ignore_unavailable: true }))
    }
    expect(await index.searchPosts(anyPost('word'))).toHaveLength(1)
  })
})
