import { sessionStoreConformance } from '../../testing/session-store-conformance'
import { openTestStores } from '../../testing/sql-stores'

sessionStoreConformance(() => openTestStores('sqlite'))
