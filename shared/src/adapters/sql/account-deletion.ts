import type { Transaction } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import { chunks } from '../chunks'
import { lockAccounts } from './account-locks'
import { restUsername } from './resting-usernames'
import { forUpdate } from './row-locks'
import type { Database } from './schema'
import { endEverySession } from './session-store'

const CHUNK = 500

/**
 * Removes an account and every row it wrote or that points at it. The account's row is locked first:
 * who writes in its name waits for that lock and then finds it gone.
 */
export async function deleteAccount(
  tx: Transaction<Database>,
  id: UserId,
  now: number,
): Promise<void> {
  await lockAccounts(tx, [id])
  await deletePosts(tx, id)
  await deleteLikes(tx, id)
  await deleteComments(tx, id)
  await tx.deleteFrom('follows').where('follower_id', '=', id).execute()
  await tx.deleteFrom('follows').where('followee_id', '=', id).execute()
  await tx.deleteFrom('blocks').where('blocker_id', '=', id).execute()
  await tx.deleteFrom('blocks').where('blocked_id', '=', id).execute()
  await tx.deleteFrom('mutes').where('muter_id', '=', id).execute()
  await tx.deleteFrom('mutes').where('muted_id', '=', id).execute()
  await endEverySession(tx, id)
  await tx.deleteFrom('idempotency_keys').where('user_id', '=', id).execute()
  await tx.deleteFrom('accounts').where('user_id', '=', id).execute()
  await restUsername(tx, id, now)
  await tx.deleteFrom('users').where('id', '=', id).execute()
}

/** The posts go before what hangs on them, so that nobody can like or comment on one meanwhile. */
async function deletePosts(tx: Transaction<Database>, author: UserId): Promise<void> {
  const posts = tx.selectFrom('posts').select('id').where('author_id', '=', author).orderBy('id')
  const ids = (await forUpdate(tx, posts).execute()).map((post) => post.id)
  for (const chunk of chunks(ids, CHUNK)) {
    await tx.deleteFrom('posts').where('id', 'in', chunk).execute()
    await tx.deleteFrom('post_counts').where('post_id', 'in', chunk).execute()
    await tx.deleteFrom('likes').where('post_id', 'in', chunk).execute()
    await tx.deleteFrom('comments').where('post_id', 'in', chunk).execute()
  }
}

async function deleteLikes(tx: Transaction<Database>, user: UserId): Promise<void> {
  const likes = tx.selectFrom('likes').select('post_id').where('user_id', '=', user)
  const posts = (await forUpdate(tx, likes.orderBy('post_id')).execute()).map((row) => row.post_id)
  for (const chunk of chunks(posts, CHUNK)) {
    await tx
      .updateTable('post_counts')
      .set((eb) => ({ likes: eb('likes', '-', 1) }))
      .where('post_id', 'in', chunk)
      .execute()
    await tx.deleteFrom('likes').where('user_id', '=', user).where('post_id', 'in', chunk).execute()
  }
}

async function deleteComments(tx: Transaction<Database>, author: UserId): Promise<void> {
  const comments = tx.selectFrom('comments').select(['id', 'post_id'])
  const rows = await forUpdate(tx, comments.where('author_id', '=', author).orderBy('id')).execute()
  for (const [count, posts] of postsByCount(rows.map((row) => row.post_id))) {
    for (const chunk of chunks(posts, CHUNK)) {
      await tx
        .updateTable('post_counts')
        .set((eb) => ({ comments: eb('comments', '-', count) }))
        .where('post_id', 'in', chunk)
        .execute()
    }
  }
  for (const chunk of chunks(rows, CHUNK)) {
    const ids = chunk.map((row) => row.id)
    await tx.deleteFrom('comments').where('id', 'in', ids).execute()
  }
}

/** Posts by how often they are named: one statement lowers the counts of all with the same. */
function postsByCount(posts: readonly PostId[]): Map<number, PostId[]> {
  const counts = new Map<PostId, number>()
  for (const post of posts) counts.set(post, (counts.get(post) ?? 0) + 1)
  const byCount = new Map<number, PostId[]>()
  for (const [post, count] of counts) {
    const same = byCount.get(count)
    if (same) same.push(post)
    else byCount.set(count, [post])
  }
  return byCount
}
