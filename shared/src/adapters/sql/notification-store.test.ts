import { notificationStoreConformance } from '../../testing/notification-store-conformance'
import { openTestStores } from '../../testing/sql-database'

notificationStoreConformance(() => openTestStores('sqlite'))
