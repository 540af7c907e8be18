import { describe } from 'bun:test'
import { describeSearchIndex } from '../../testing/search-index-conformance'
import { testServers } from '../../testing/servers'
import { migrateIndexes } from './migrate-indexes'
import { createElasticsearchIndex } from './search-index'
import { createTestElasticsearch, dropIndexes } from './testing'

describe.skipIf(!testServers.elasticsearch)('on a server', () => {
  describeSearchIndex('ElasticsearchIndex', {
    exact: false,
    runs: 15,
    async open() {
      const { client, prefix, ...server } = await createTestElasticsearch()
      return {
        index: createElasticsearchIndex(client, { prefix }),
        async clear() {
          // Only a new index forgets the versions of what was deleted.
          await dropIndexes(client, prefix)
          await migrateIndexes(client, { prefix, replicas: 0 })
        },
        [Symbol.asyncDispose]: server[Symbol.asyncDispose],
      }
    },
  })
})
