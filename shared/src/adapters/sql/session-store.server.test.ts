import { describe } from 'bun:test'
import { testServers } from '../../testing/servers'
import { sessionStoreConformance } from '../../testing/session-store-conformance'
import { openTestStores } from '../../testing/sql-database'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  sessionStoreConformance(() => openTestStores('mysql'))
})
