import { laneStoreConformance } from '../../testing/lane-store-conformance'
import { openTestStores } from '../../testing/sql-database'

laneStoreConformance(() => openTestStores('sqlite'))
