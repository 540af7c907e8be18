import { openTestStores } from '../../testing/sql-stores'
import { userStoreConformance } from '../../testing/user-store-conformance'

userStoreConformance(() => openTestStores('sqlite'))
