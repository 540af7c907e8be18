import { expressionBuilder } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import type { PostBody, PostState, ViewedPost } from '../../domain/post'
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

interface StateRow {
  readonly id: PostId
  readonly version: number
  readonly author_id: UserId
  readonly username: string
  readonly display_name: string
  readonly likes: number | null
  readonly comments: number | null
  readonly liked: number | boolean
}

/**
 * Posts with what the truth says about them for `viewer`. Counts and likes are look-ups by primary key
 * within the row, not joins: a join would let the optimizer read a whole table that it believes small.
 */
export function selectStates(db: Queryable, viewer: UserId) {
  return db
    .selectFrom('posts')
    .innerJoin('users', 'users.id', 'posts.author_id')
    .select(['posts.id', 'posts.version', 'posts.author_id', 'users.username'])
    .select(['users.display_name'])
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

function count<Column extends 'likes' | 'comments'>(column: Column) {
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

export function toState(row: StateRow): PostState {
  return {
    id: row.id,
    version: row.version,
    author: toAuthor(row),
    counts: { likes: row.likes ?? 0, comments: row.comments ?? 0 },
    liked: Boolean(row.liked),
  }
}

export function toViewedPost(row: StateRow & BodyRow): ViewedPost {
  return { body: toBody(row), state: toState(row) }
}
