import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import { holdActor } from './account-locks'
import { moveCount } from './engagement-counts'
import { insertIfAbsent } from './insert-if-absent'
import { lockPost } from './post-lock'
import type { Database } from './schema'
import { transact } from './transaction'

/** Accounts are locked before posts, everywhere, so that no two writers wait for each other. */
export async function likePost(
  db: Kysely<Database>,
  clock: Clock,
  userId: UserId,
  postId: PostId,
): Promise<void> {
  await transact(db, async (tx) => {
    await holdActor(tx, userId)
    await lockPost(tx, postId, userId)
    const like = { user_id: userId, post_id: postId, created_at: clock.now() }
    if (await insertIfAbsent(tx, 'likes', like)) await moveCount(tx, postId, 'likes', 1)
  })
}

export async function unlikePost(
  db: Kysely<Database>,
  userId: UserId,
  postId: PostId,
): Promise<void> {
  await transact(db, async (tx) => {
    await lockPost(tx, postId, userId)
    const { numDeletedRows } = await tx
      .deleteFrom('likes')
      .where('user_id', '=', userId)
      .where('post_id', '=', postId)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) await moveCount(tx, postId, 'likes', -1)
  })
}
