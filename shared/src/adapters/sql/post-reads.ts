import type { PostId, UserId } from '../../domain/id'
import type { Page } from '../../domain/page'
import type { ViewedPost } from '../../domain/post'
import { SnsError } from '../../errors/sns-error'
import type { IdPage } from '../../ports/post-store'
import type { Queryable } from './dialect'
import { isInFeedOf } from './feed-truth'
import { pageOf } from './page'
import { BODY_COLUMNS, count, selectViewed, toViewedPost } from './post-rows'
import { notBlockedEitherWay } from './visibility'

export async function findPost(db: Queryable, id: PostId, viewer: UserId): Promise<ViewedPost> {
  const row = await selectViewed(db, viewer)
    .where('posts.id', '=', id)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
    .executeTakeFirst()
  if (!row) throw new SnsError('not_found')
  return toViewedPost(row)
}

/** Throws `not_found` where `findPost` would. */
export async function assertPostVisible(db: Queryable, id: PostId, viewer: UserId): Promise<void> {
  const row = await db
    .selectFrom('posts')
    .select('posts.id')
    .where('posts.id', '=', id)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
    .executeTakeFirst()
  if (!row) throw new SnsError('not_found')
}

export async function readPostsByAuthor(
  db: Queryable,
  author: UserId,
  viewer: UserId,
  { before, limit }: IdPage,
): Promise<Page<ViewedPost, PostId>> {
  const rows = await selectViewed(db, viewer)
    .where('posts.author_id', '=', author)
    .$if(before !== null, (query) => query.where('posts.id', '<', before))
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
    .orderBy('posts.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, (row) => row.id, toViewedPost)
}

/** Those of `ids` that are in the viewer's feed. */
export function selectInFeed(db: Queryable, viewer: UserId, ids: readonly PostId[]) {
  return selectViewed(db, viewer)
    .where('posts.id', 'in', ids)
    .where((eb) => isInFeedOf(viewer, eb.ref('posts.author_id')))
}

/** Those of `ids` that no block hides from the viewer. */
export function selectVisible(db: Queryable, viewer: UserId, ids: readonly PostId[]) {
  return selectViewed(db, viewer)
    .where('posts.id', 'in', ids)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
}

/** What does not depend on who looks. */
export function selectPublished(db: Queryable, ids: readonly PostId[]) {
  return db
    .selectFrom('posts')
    .innerJoin('users', 'users.id', 'posts.author_id')
    .select([...BODY_COLUMNS, 'users.username', 'users.display_name'])
    .select([count('likes'), count('comments')])
    .where('posts.id', 'in', ids)
}

export function selectBodies(db: Queryable, ids: readonly PostId[]) {
  return db.selectFrom('posts').select(BODY_COLUMNS).where('posts.id', 'in', ids)
}
