import { sessionStoreConformance } from '../../testing/session-store-conformance'
import { openTestStores } from '../../testing/sql-database'

sessionStoreConformance(() => openTestStores('sqlite'))
