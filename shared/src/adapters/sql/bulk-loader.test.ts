import { systemClock } from '../../domain/clock'
import { bulkLoaderConformance } from '../../testing/bulk-loader-conformance'
import { openTestStores } from '../../testing/sql-stores'
import { createSqlBulkLoader } from './bulk-loader'

bulkLoaderConformance(async () => {
  const stores = await openTestStores('sqlite')
  return { ...stores, loader: createSqlBulkLoader(stores.database.db, { clock: systemClock }) }
})
