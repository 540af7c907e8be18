import { describe } from 'bun:test'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'
import { userStoreConformance } from '../../testing/user-store-conformance'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  userStoreConformance(() => openTestStores('mysql'))
})
