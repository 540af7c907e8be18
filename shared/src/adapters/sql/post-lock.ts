import type { Transaction } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import { traitsOf } from './dialect'
import { BODY_COLUMNS, type BodyRow } from './post-rows'
import type { Database } from './schema'
import { notBlockedEitherWay } from './visibility'

/**
 * Locks the post until the transaction ends, so that its likes, comments, counts and deletion take
 * turns: no row is left behind by one that came too late, and no count is moved twice. SQLite has one
 * writer: there it only reads. Throws `not_found` where there is none, or a block hides it from `viewer`;
 * null sees everything.
 */
export async function lockPost(
  tx: Transaction<Database>,
  id: PostId,
  viewer: UserId | null,
): Promise<BodyRow> {
  let query = tx
    .selectFrom('posts')
    // Whose account is gone has nothing left to like, though rows may still be there.
    .innerJoin('users', 'users.id', 'posts.author_id')
    .select(BODY_COLUMNS)
    .where('posts.id', '=', id)
  if (viewer !== null) {
    query = query.where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
  }
  // Named, so that the rows that say who blocked whom stay free for others.
  if (traitsOf(tx).kind === 'mysql') query = query.forUpdate('posts')
  const row = await query.executeTakeFirst()
  if (!row) throw new SnsError('not_found')
  return row
}

/** The same for its author; others get `forbidden`. */
export async function lockOwnPost(
  tx: Transaction<Database>,
  id: PostId,
  author: UserId,
): Promise<BodyRow> {
  const row = await lockPost(tx, id, author)
  if (row.author_id !== author) throw new SnsError('forbidden')
  return row
}
