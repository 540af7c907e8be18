import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { PostStore } from '../../ports/post-store'
import { FEED_SCAN_LIMITS, type FeedScanLimits, readFeedIds } from './post-feed'
import {
  findPost,
  readPostBodies,
  readPostsByAuthor,
  readStatesInFeed,
  readVisibleStates,
} from './post-reads'
import { createPost, deletePost, editPost } from './post-writes'
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
  return {
    create: (post) => createPost(db, clock, post),
    edit: (id, author, text) => editPost(db, clock, id, author, text),
    delete: (id, author) => deletePost(db, id, author),
    find: (id, viewer) => findPost(db, id, viewer),
    byAuthor: (author, viewer, page) => readPostsByAuthor(db, author, viewer, page),
    feedIds: (viewer, page) => readFeedIds(db, viewer, page, feedScan),
    inFeed: (viewer, ids) => readStatesInFeed(db, viewer, ids),
    visible: (viewer, ids) => readVisibleStates(db, viewer, ids),
    bodies: (ids) => readPostBodies(db, ids),
    async pruneIdempotencyKeys(before) {
      await db.deleteFrom('idempotency_keys').where('created_at', '<', before).execute()
    },
  }
}
