import { describe } from 'bun:test'
import { engagementStoreConformance } from '../../testing/engagement-store-conformance'
import { testServers } from '../../testing/servers'
import { openSqlPostStores } from '../../testing/sql-post-stores'

describe.skipIf(!testServers.mysql)('mysql', () => {
  engagementStoreConformance(() => openSqlPostStores('mysql'))
})
