import type { PostId, UserId } from '../../domain/id'
import type { Page } from '../../domain/page'
import type { ViewedPost } from '../../domain/post'
import { SnsError } from '../../errors/sns-error'
import type { IdPage } from '../../ports/post-store'
import type { Queryable } from './dialect'
import { isInFeedOf } from './feed-truth'
import { pageOf } from './page'
import { BODY_COLUMNS, selectStates, toViewedPost } from './post-rows'
import { notBlockedEitherWay } from './visibility'

export async function findPost(db: Queryable, id: PostId, viewer: UserId): Promise<ViewedPost> {
  const row = await selectStates(db, viewer)
    .select(BODY_COLUMNS)
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
  const rows = await selectStates(db, viewer)
    .select(BODY_COLUMNS)
    .where('posts.author_id', '=', author)
    .$if(before !== null, (query) => query.where('posts.id', '<', before))
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
    .orderBy('posts.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, (row) => row.id, toViewedPost)
}

/** What the truth says about those of `ids` that are in the viewer's feed. */
export function selectStatesInFeed(db: Queryable, viewer: UserId, ids: readonly PostId[]) {
  return selectStates(db, viewer)
    .where('posts.id', 'in', ids)
    .where((eb) => isInFeedOf(viewer, eb.ref('posts.author_id')))
}

/** What the truth says about those of `ids` that no block hides from the viewer. */
export function selectVisibleStates(db: Queryable, viewer: UserId, ids: readonly PostId[]) {
  return selectStates(db, viewer)
    .where('posts.id', 'in', ids)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
}

export function selectBodies(db: Queryable, ids: readonly PostId[]) {
  return db.selectFrom('posts').select(BODY_COLUMNS).where('posts.id', 'in', ids)
}
