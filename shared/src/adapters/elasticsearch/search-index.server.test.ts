import { describe } from 'bun:test'
import { searchIndexConformance } from '../../testing/search-index-conformance'
import { testServers } from '../../testing/servers'
import { createTestElasticsearch } from '../../testing/test-elasticsearch'
import { createElasticsearchIndex } from './search-index'

describe.skipIf(!testServers.elasticsearch)('on a server', () => {
  searchIndexConformance('ElasticsearchIndex', {
    exact: false,
    runs: 15,
    async open() {
      const server = await createTestElasticsearch()
      return {
        index: createElasticsearchIndex(server.client, { prefix: server.prefix }),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  })
})
