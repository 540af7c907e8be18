import { graphListConformance } from '../../testing/graph-list-conformance'
import { graphStoreConformance } from '../../testing/graph-store-conformance'
import { openTestStores } from '../../testing/sql-database'

graphStoreConformance(() => openTestStores('sqlite'))
graphListConformance(() => openTestStores('sqlite'))
