import { type Kysely, type SqlBool, sql, type Transaction } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import type { PostId, UserId } from '../../domain/id'
import { DELETE_CHUNK } from './bounded-delete'
import { transact } from './database'
import { byIndex, deleteByIndex } from './index-hints'
import { forUpdate, lockAccounts } from './locks'
import { beginPostDeletion, finishPostDeletions } from './post-deletion'
import { restUsername } from './resting-usernames'
import type { Database } from './schema'
import { endEverySession } from './session-store'

type Tx = Transaction<Database>

/** Other values only in tests. */
export interface DeletionLimits {
  /** Rows of a table that a transaction deletes. */
  readonly chunk: number
  /** How long the request waits for rows to be deleted. */
  readonly inlineMs: number
}

export const DELETION_LIMITS: DeletionLimits = { chunk: DELETE_CHUNK, inlineMs: 2_000 }

/**
 * Takes the account away in one transaction: nobody can sign in, and nothing of it is shown from its
 * commit on, since all that is shown is joined with `users`. The rows that are left go in chunks, by
 * `finishDeletion`. Who writes in its name waits for the lock on its row and then finds it gone.
 */
export async function beginDeletion(tx: Tx, id: UserId, now: number): Promise<void> {
  await lockAccounts(tx, [id])
  await endEverySession(tx, id)
  await tx.deleteFrom('accounts').where('user_id', '=', id).execute()
  await restUsername(tx, id, now)
  const { numDeletedRows } = await tx
    .deleteFrom('users')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) return
  await tx.insertInto('account_deletions').values({ user_id: id, started_at: now }).execute()
}

/** Accounts with remaining rows, oldest deletion first. */
export async function pendingDeletions(db: Kysely<Database>): Promise<readonly UserId[]> {
  const rows = await db
    .selectFrom('account_deletions')
    .select('user_id')
    .orderBy('started_at')
    .limit(100)
    .execute()
  return rows.map((row) => row.user_id)
}

/**
 * Removes what is left of an account, a chunk a transaction, while `mayGoOn`. Stopped or killed, it goes
 * on where it was; run twice at once, each chunk is removed by one. False where something is left.
 */
export async function finishDeletion(
  db: Kysely<Database>,
  id: UserId,
  mayGoOn: () => boolean,
  chunk: number,
): Promise<boolean> {
  const steps = [
    deletePosts,
    deleteLikes,
    deleteComments,
    deletePairs('follows', 'PRIMARY', 'follower_id', 'followee_id'),
    deletePairs('follows', 'follows_followee_id_id', 'followee_id', 'follower_id'),
    deletePairs('blocks', 'PRIMARY', 'blocker_id', 'blocked_id'),
    deletePairs('blocks', 'blocks_blocked', 'blocked_id', 'blocker_id'),
    deletePairs('mutes', 'PRIMARY', 'muter_id', 'muted_id'),
    deletePairs('mutes', 'mutes_muted', 'muted_id', 'muter_id'),
    deletePairs('idempotency_keys', 'PRIMARY', 'user_id', 'idem_key'),
    deletePairs('notifications', 'notifications_list', 'recipient_id', 'noticed_at'),
    deletePairs('notification_marks', 'PRIMARY', 'user_id', 'noticed_at'),
    deletePairs('imported_notes', 'PRIMARY', 'user_id', 'note'),
    deletePairs('refresh_tokens', 'refresh_tokens_user', 'user_id', 'hash'),
  ]
  for (const step of steps) {
    for (;;) {
      if (!mayGoOn()) return false
      const removed = await transact(db, (tx) => step(tx, id, chunk))
      if (removed < chunk) break
      await yieldToEventLoop()
    }
  }
  if (!(await finishPostDeletions(db, mayGoOn, chunk))) return false
  await db.deleteFrom('account_deletions').where('user_id', '=', id).execute()
  return true
}

async function deletePosts(tx: Tx, author: UserId, chunk: number): Promise<number> {
  const posts = tx
    .selectFrom(byIndex('posts', 'posts_author_id'))
    .select('id')
    .where('author_id', '=', author)
    .orderBy('id')
  const ids = (await forUpdate(tx, posts.limit(chunk)).execute()).map((post) => post.id)
  if (ids.length === 0) return 0
  await beginPostDeletion(tx, ids)
  return ids.length
}

async function deleteLikes(tx: Tx, user: UserId, chunk: number): Promise<number> {
  const likes = tx
    .selectFrom(byIndex('likes', 'PRIMARY'))
    .select('post_id')
    .where('user_id', '=', user)
  const rows = await forUpdate(tx, likes.orderBy('post_id').limit(chunk)).execute()
  const posts = rows.map((row) => row.post_id)
  if (posts.length === 0) return 0
  await tx
    .updateTable(byIndex('post_counts', 'PRIMARY'))
    .set((eb) => ({ likes: eb('likes', '-', 1) }))
    .where('post_id', 'in', posts)
    .execute()
  await deleteByIndex(tx, 'likes', 'PRIMARY', (eb) =>
    eb.and([eb('user_id', '=', user), eb('post_id', 'in', posts)]),
  )
  return posts.length
}

async function deleteComments(tx: Tx, author: UserId, chunk: number): Promise<number> {
  const comments = tx.selectFrom(byIndex('comments', 'comments_author')).select(['id', 'post_id'])
  const mine = comments.where('author_id', '=', author).orderBy('id').limit(chunk)
  const rows = await forUpdate(tx, mine).execute()
  for (const [count, posts] of postsByCount(rows.map((row) => row.post_id))) {
    await tx
      .updateTable(byIndex('post_counts', 'PRIMARY'))
      .set((eb) => ({ comments: eb('comments', '-', count) }))
      .where('post_id', 'in', posts)
      .execute()
  }
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await deleteByIndex(tx, 'comments', 'PRIMARY', (eb) => eb('id', 'in', ids))
  return ids.length
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

/** Removes rows that `index` finds by the user (`own`); their key is the user and `other`. */
function deletePairs<T extends keyof Database>(
  table: T,
  index: string,
  own: string,
  other: string,
) {
  const [mine, theirs] = [sql.ref(own), sql.ref(other)]
  return async (tx: Tx, id: UserId, chunk: number): Promise<number> => {
    const rows = await tx
      .selectFrom(byIndex<keyof Database>(table, index))
      .select(sql<number | string>`${theirs}`.as('other'))
      .where(sql<SqlBool>`${mine} = ${id}`)
      .limit(chunk)
      .execute()
    if (rows.length === 0) return 0
    const others = sql.join(rows.map((row) => row.other))
    await deleteByIndex(
      tx,
      table,
      index,
      () => sql<SqlBool>`${mine} = ${id} and ${theirs} in (${others})`,
    )
    return rows.length
  }
}
