import type { Transaction } from 'kysely'
import type { PostId } from '../../domain/id'
import { insertIfAbsent } from './insert-if-absent'
import type { Database } from './schema'

/** Moves a count of a post that the transaction has locked. A post without a row counts from zero. */
export async function moveCount(
  tx: Transaction<Database>,
  postId: PostId,
  count: 'likes' | 'comments',
  by: 1 | -1,
): Promise<void> {
  const move = tx
    .updateTable('post_counts')
    .set((eb) => ({ [count]: eb(count, '+', by) }))
    .where('post_id', '=', postId)
  const { numUpdatedRows } = await move.executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) return
  await insertIfAbsent(tx, 'post_counts', { post_id: postId, likes: 0, comments: 0 })
  await move.execute()
}
