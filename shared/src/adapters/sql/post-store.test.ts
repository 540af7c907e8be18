import { describe } from 'bun:test'
import { feedTruthConformance } from '../../testing/feed-truth-conformance'
import { idempotencyConformance } from '../../testing/idempotency-conformance'
import { postStoreConformance } from '../../testing/post-store-conformance'
import { openSqlPostStores } from '../../testing/sql-post-stores'

describe('sqlite', () => {
  postStoreConformance(() => openSqlPostStores('sqlite'))
  idempotencyConformance(() => openSqlPostStores('sqlite'))
  feedTruthConformance(() => openSqlPostStores('sqlite'))
})
