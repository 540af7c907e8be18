import { describe } from 'bun:test'
import { systemClock } from '../../domain/clock'
import { bulkLoaderConformance } from '../../testing/bulk-loader-conformance'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'
import { createSqlBulkLoader } from './bulk-loader'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  bulkLoaderConformance(async () => {
    const stores = await openTestStores('mysql')
    return { ...stores, loader: createSqlBulkLoader(stores.database.db, { clock: systemClock }) }
  })
})
