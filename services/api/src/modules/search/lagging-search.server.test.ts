import { describe } from 'bun:test'
import { createElasticsearchSearchIndex } from '@sns/shared/adapters/elasticsearch/search-index'
import { testServers } from '@sns/shared/testing/servers'
import { createTestElasticsearch } from '@sns/shared/testing/test-elasticsearch'
import { laggingSearchConformance } from '../../testing/lagging-search-conformance'

describe.skipIf(!testServers.elasticsearch)('on a server', () => {
  laggingSearchConformance('Elasticsearch', {
    exact: false,
    runs: 20,
    async open() {
      const server = await createTestElasticsearch()
      return {
        index: createElasticsearchSearchIndex(server.client, { prefix: server.prefix }),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  })
})
