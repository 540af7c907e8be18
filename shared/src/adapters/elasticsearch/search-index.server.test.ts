import { describe } from 'bun:test'
import { searchIndexConformance } from '../../testing/search-index-conformance'
import { testServers } from '../../testing/servers'
import { createTestElasticsearch } from '../../testing/test-elasticsearch'
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
})
