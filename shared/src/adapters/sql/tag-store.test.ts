import { openTestStores } from '../../testing/sql-database'
import { tagStoreConformance } from '../../testing/tag-store-conformance'

tagStoreConformance(() => openTestStores('sqlite'))
