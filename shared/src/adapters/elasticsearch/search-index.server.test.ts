import { describe, expect, test } from 'bun:test'
import { codeOf } from '../../testing/error-code'
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

  test('fails where a shard is lost: some of the hits would look like all of them', async () => {
    await using server = await createTestElasticsearch()
    const { client, prefix } = server
    const index = createElasticsearchSearchIndex(client, { prefix })
    await index.apply([post(1, 'a word')])
    await index.refresh()
    expect(await index.searchPosts({ ...anyPost(), q: 'word' })).toHaveLength(1)

    // A second index behind the alias, which no node may hold.
    const lost = `${postsAlias(prefix)}-lost`
    try {
      await client.request({
        method: 'PUT',
        path: `/${lost}`,
        query: { wait_for_active_shards: 0 },
        body: {
          settings: { 'index.routing.allocation.require._name': 'nobody' },
          mappings: { properties: { id: { type: 'long' }, createdAt: { type: 'long' } } },
          aliases: { [postsAlias(prefix)]: {} },
        },
      })
      expect(await codeOf(index.searchPosts({ ...anyPost(), q: 'word' }))).toBe('store_unavailable')
    } finally {
      await client.request({ method: 'DELETE', path: `/${lost}`, accept: [404] })
    }
    expect(await index.searchPosts({ ...anyPost(), q: 'word' })).toHaveLength(1)
  })
})
