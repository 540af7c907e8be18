import { describe } from 'bun:test'
import { feedTruthConformance } from '../../testing/feed-truth-conformance'
import { idempotencyConformance } from '../../testing/idempotency-conformance'
import { postStoreConformance } from '../../testing/post-store-conformance'
import { testServers } from '../../testing/servers'
import { openSqlPostStores } from '../../testing/sql-post-stores'

describe.skipIf(!testServers.mysql)('mysql', () => {
  postStoreConformance(() => openSqlPostStores('mysql'))
  idempotencyConformance(() => openSqlPostStores('mysql'))
  feedTruthConformance(() => openSqlPostStores('mysql'))
})
