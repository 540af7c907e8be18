import { describe } from 'bun:test'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'
import { tagStoreConformance } from '../../testing/tag-store-conformance'

describe.skipIf(!testServers.mysql)('mysql', () => {
  tagStoreConformance(() => openTestStores('mysql'))
})
