import { expressionBuilder } from 'kysely'
import type { UserId } from '../../domain/id'
import type { PostBody, PublishedPost, ViewedPost } from '../../domain/post'
import type { RowOf } from '../../events/tables'
import type { Queryable } from './dialect'
import type { Database } from './schema'
import { toAuthor } from './user-row'

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
 * Posts as `viewer` sees them. Counts and likes are look-ups by primary key
 * within the row, not joins: a join would let the optimizer read a whole table that it believes small.
 */
export function selectViewed(db: Queryable, viewer: UserId) {
  return db
    .selectFrom('posts')
    .innerJoin('users', 'users.id', 'posts.author_id')
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
