import { deliveryProgressConformance } from '../../testing/delivery-progress-conformance'
import { openTestStores } from '../../testing/sql-database'

deliveryProgressConformance(() => openTestStores('sqlite'))
