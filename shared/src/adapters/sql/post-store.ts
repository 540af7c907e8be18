import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import type { PostStore } from '../../ports/post-store'
import { FEED_SCAN_LIMITS, type FeedScanLimits, readFeedIds } from './post-feed'
import {
  findPost,
  readPostsByAuthor,
  selectBodies,
  selectStatesInFeed,
  selectVisibleStates,
} from './post-reads'
import { toBody, toState } from './post-rows'
import { createPost, deletePost, editPost } from './post-writes'
import { prepareQuery } from './prepared-query'
import type { Database } from './schema'

export interface SqlPostStoreDeps {
  readonly clock: Clock
  readonly feedScan?: FeedScanLimits
}

/** Posts in SQL: the truth that every cache is checked against. */
export function createSqlPostStore(
  db: Kysely<Database>,
  { clock, feedScan = FEED_SCAN_LIMITS }: SqlPostStoreDeps,
): PostStore {
  const statesInFeed = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    selectStatesInFeed(db, viewer, ids),
  )
  const visibleStates = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    selectVisibleStates(db, viewer, ids),
  )
  const bodies = prepareQuery(db, (_: number, ids: readonly PostId[]) => selectBodies(db, ids))

  return {
    create: (post) => createPost(db, clock, post),
    edit: (id, author, text) => editPost(db, clock, id, author, text),
    delete: (id, author) => deletePost(db, id, author),
    find: (id, viewer) => findPost(db, id, viewer),
    byAuthor: (author, viewer, page) => readPostsByAuthor(db, author, viewer, page),
    feedIds: (viewer, page) => readFeedIds(db, viewer, page, feedScan),
    inFeed: async (viewer, ids) =>
      ids.length === 0 ? [] : (await statesInFeed(viewer, ids)).map(toState),
    visible: async (viewer, ids) =>
      ids.length === 0 ? [] : (await visibleStates(viewer, ids)).map(toState),
    bodies: async (ids) => (ids.length === 0 ? [] : (await bodies(0, ids)).map(toBody)),
    async pruneIdempotencyKeys(before) {
      await db.deleteFrom('idempotency_keys').where('created_at', '<', before).execute()
    },
  }
}
