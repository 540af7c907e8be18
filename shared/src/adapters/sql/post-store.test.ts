import { describe } from 'bun:test'
import { feedTruthConformance } from '../../testing/feed-truth-conformance'
import { idempotencyConformance } from '../../testing/idempotency-conformance'
import { postStoreConformance } from '../../testing/post-store-conformance'
import { openSqlPostStores } from '../../testing/sql-post-stores'

describe('sqlite', () => {
  postStoreConformance(() => openSqlPostStores('sqlite'))
  idempotencyConformance(() => openSqlPostStores('sqlite'))
  feedTruthConformance(() => openSqlPostStores('sqlite'))

  describe('scanning first, however few are followed', () => {
    const feedScan = { fewFollowees: 1, postsPerFollowee: 10 }
    feedTruthConformance(() => openSqlPostStores('sqlite', feedScan))
  })
})
