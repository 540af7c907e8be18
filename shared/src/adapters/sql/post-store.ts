import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import type { PostStore } from '../../ports/post-store'
import { FEED_SCAN_LIMITS, type FeedScanLimits, readFeedAuthors, readFeedIds } from './post-feed'
import {
  findPost,
  readPostsByAuthor,
  selectInFeed,
  selectPublished,
  selectVisible,
} from './post-reads'
import { toPublishedPost, toViewedPost } from './post-rows'
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
  const inFeed = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    selectInFeed(db, viewer, ids),
  )
  const visible = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    selectVisible(db, viewer, ids),
  )
  const published = prepareQuery(db, (_: number, ids: readonly PostId[]) =>
    selectPublished(db, ids),
  )
  const liked = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    db
      .selectFrom('likes')
      .select('post_id')
      .where('user_id', '=', viewer)
      .where('post_id', 'in', ids),
  )

  return {
    create: (post) => createPost(db, clock, post),
    edit: (id, author, text) => editPost(db, clock, id, author, text),
    delete: (id, author) => deletePost(db, id, author),
    find: (id, viewer) => findPost(db, id, viewer),
    byAuthor: (author, viewer, page) => readPostsByAuthor(db, author, viewer, page),
    feedIds: (viewer, page) => readFeedIds(db, viewer, page, feedScan),
    inFeed: async (viewer, ids) =>
      ids.length === 0 ? [] : (await inFeed(viewer, ids)).map(toViewedPost),
    visible: async (viewer, ids) =>
      ids.length === 0 ? [] : (await visible(viewer, ids)).map(toViewedPost),
    published: async (ids) =>
      ids.length === 0 ? [] : (await published(0, ids)).map(toPublishedPost),
    feedAuthors: (viewer) => readFeedAuthors(db, viewer),
    async newestLikes(viewer, limit) {
      const rows = await db
        .selectFrom('likes')
        .select('post_id')
        .where('user_id', '=', viewer)
        .orderBy('post_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.post_id)
    },
    liked: async (viewer, ids) =>
      ids.length === 0 ? [] : (await liked(viewer, ids)).map((row) => row.post_id),
    async pruneIdempotencyKeys(before) {
      await db.deleteFrom('idempotency_keys').where('created_at', '<', before).execute()
    },
  }
}
