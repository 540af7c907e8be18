import { describe } from 'bun:test'
import { laneStoreConformance } from '../../testing/lane-store-conformance'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'

describe.skipIf(!testServers.mysql)('mysql', () => {
  laneStoreConformance(() => openTestStores('mysql'))
})
