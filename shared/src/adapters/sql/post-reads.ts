import { expressionBuilder } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import { type Page, pageOf } from '../../domain/page'
import type { PostBody, PublishedPost, ViewedPost } from '../../domain/post'
import { SnsError } from '../../errors/sns-error'
import type { RowOf } from '../../events/tables'
import type { IdPage } from '../../ports/post-store'
import type { Queryable } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { byIndex, IN_ORDER } from './index-hints'
import type { Database } from './schema'
import { toAuthor } from './user-row'

export async function findPost(db: Queryable, id: PostId, viewer: UserId): Promise<ViewedPost> {
  const row = await selectViewed(db, viewer, 'PRIMARY')
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
  const rows = await selectViewed(db, viewer, 'posts_author_id')
    .where('posts.author_id', '=', author)
    .$if(before !== null, (query) => query.where('posts.id', '<', before))
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
    .orderBy('posts.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, (row) => row.id, toViewedPost)
}

/** Those of `ids` that no block hides from the viewer. */
export function selectVisible(db: Queryable, viewer: UserId, ids: readonly PostId[]) {
  return selectViewed(db, viewer, 'PRIMARY')
    .where('posts.id', 'in', ids)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
}

/** The parts that do not depend on the viewer. */
export function selectPublished(db: Queryable, ids: readonly PostId[]) {
  return db
    .selectFrom(byIndex('posts', 'PRIMARY'))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'posts.author_id')
    .select([...BODY_COLUMNS, 'users.username', 'users.display_name'])
    .select([count('likes'), count('comments')])
    .where('posts.id', 'in', ids)
}

export function selectBodies(db: Queryable, ids: readonly PostId[]) {
  return db
    .selectFrom(byIndex('posts', 'PRIMARY'))
    .select(BODY_COLUMNS)
    .where('posts.id', 'in', ids)
}

/** The columns of `posts` that a body is made of. */
export const BODY_COLUMNS = [
  'posts.id',
  'posts.author_id',
  'posts.text',
  'posts.version',
  'posts.created_at',
  'posts.edited_at',
] as const

export type BodyRow = Omit<RowOf<'posts'>, 'updated_at'>

interface PublishedRow extends BodyRow {
  readonly username: string
  readonly display_name: string
  readonly likes: number | null
  readonly comments: number | null
}

/**
 * Posts as `viewer` sees them, found by `index`. Counts and likes are look-ups by primary key within the row.
 */
function selectViewed(db: Queryable, viewer: UserId, index: 'PRIMARY' | 'posts_author_id') {
  return db
    .selectFrom(byIndex('posts', index))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'posts.author_id')
    .select([...BODY_COLUMNS, 'users.username', 'users.display_name'])
    .select([count('likes'), count('comments')])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('likes')
            .select('likes.user_id')
            .where('likes.user_id', '=', viewer)
            .whereRef('likes.post_id', '=', 'posts.id'),
        )
        .as('liked'),
    )
}

const outer = expressionBuilder<Database, 'posts'>()

export function count<Column extends 'likes' | 'comments'>(column: Column) {
  return outer
    .selectFrom('post_counts')
    .select(`post_counts.${column}`)
    .whereRef('post_counts.post_id', '=', 'posts.id')
    .as(column)
}

export function toBody(row: BodyRow): PostBody {
  return {
    id: row.id,
    authorId: row.author_id,
    version: row.version,
    text: row.text,
    createdAt: row.created_at,
    editedAt: row.edited_at,
  }
}

export function toPublishedPost(row: PublishedRow): PublishedPost {
  return {
    body: toBody(row),
    author: toAuthor(row),
    counts: { likes: row.likes ?? 0, comments: row.comments ?? 0 },
  }
}

export function toViewedPost(row: PublishedRow & { readonly liked: number | boolean }): ViewedPost {
  return { ...toPublishedPost(row), liked: Boolean(row.liked) }
}
