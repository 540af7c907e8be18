import { openTestStores } from '../../testing/sql-database'
import { userStoreConformance } from '../../testing/user-store-conformance'

userStoreConformance(() => openTestStores('sqlite'))
