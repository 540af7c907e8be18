import { describe } from 'bun:test'
import { notificationStoreConformance } from '../../testing/notification-store-conformance'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'

describe.skipIf(!testServers.mysql)('mysql', () => {
  notificationStoreConformance(() => openTestStores('mysql'))
})
