import { describe } from 'bun:test'
import { graphListConformance } from '../../testing/graph-list-conformance'
import { graphStoreConformance } from '../../testing/graph-store-conformance'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-stores'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  graphStoreConformance(() => openTestStores('mysql'))
  graphListConformance(() => openTestStores('mysql'))
})
