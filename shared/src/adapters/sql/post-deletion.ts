import { type Kysely, sql, type Transaction } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import type { PostId } from '../../domain/id'
import { deleteSome } from './bounded-delete'
import { type Queryable, transact } from './database'
import { deleteByIndex } from './index-hints'
import { insertAbsent } from './inserts'
import { forUpdate } from './locks'
import type { Database } from './schema'

type Tx = Transaction<Database>

/**
 * Deletes posts that the transaction has locked, a bounded number. Nothing of them is shown from its commit on, and
 * nobody can like or comment on one: both need the post's row. Their likes and comments, however many there are, go in
 * chunks, by `finishPostDeletions`.
 */
export async function beginPostDeletion(tx: Tx, ids: readonly PostId[]): Promise<void> {
  await deleteByIndex(tx, 'posts', 'PRIMARY', (eb) => eb('id', 'in', ids))
  await deleteByIndex(tx, 'post_counts', 'PRIMARY', (eb) => eb('post_id', 'in', ids))
  await insertAbsent(
    tx,
    'post_deletions',
    ids.map((id) => ({ post_id: id })),
  )
}

/** One transaction of at most `chunk` rows towards the end of a post's deletion. */
export async function continuePostDeletion(
  db: Kysely<Database>,
  id: PostId,
  chunk: number,
): Promise<void> {
  await transact(db, async (tx) => {
    const pending = tx.selectFrom('post_deletions').select('post_id').where('post_id', '=', id)
    const [row] = await forUpdate(tx, pending).execute()
    if (row) await removeRemains(tx, [id], chunk)
  })
}

/**
 * Deletes what is left of deleted posts, at most `chunk` likes and comments a transaction, while `shouldContinue`.
 * Stopped or killed, it continues where it was; where two run at once, they take turns. False where something is left.
 */
export async function finishPostDeletions(
  db: Kysely<Database>,
  shouldContinue: () => boolean,
  chunk: number,
): Promise<boolean> {
  for (;;) {
    if (!shouldContinue()) return false
    const count = await transact(db, async (tx) => {
      const oldest = tx.selectFrom('post_deletions').select('post_id').orderBy('post_id')
      const rows = await forUpdate(tx, oldest.limit(chunk)).execute()
      const ids = rows.map((row) => row.post_id)
      if (ids.length > 0) await removeRemains(tx, ids, chunk)
      return ids.length
    })
    if (count === 0) return true
    await yieldToEventLoop()
  }
}

/** Whether rows of a deleted post of this id are left: another post would inherit them. */
export async function isBeingDeleted(db: Queryable, ids: readonly PostId[]): Promise<boolean> {
  const row = await db
    .selectFrom('post_deletions')
    .select('post_id')
    .where('post_id', 'in', ids)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

async function removeRemains(tx: Tx, ids: readonly PostId[], chunk: number): Promise<void> {
  const where = sql`post_id in (${sql.join(ids)})`
  const remains = [
    { table: 'likes', primaryKey: ['user_id', 'post_id'], index: 'likes_post_time', where },
    { table: 'comments', primaryKey: ['id'], index: 'comments_post', where },
  ] as const
  let left = chunk
  for (const rows of remains) {
    if (left > 0) left -= await deleteSome(tx, rows, left)
  }
  if (left > 0) await tx.deleteFrom('post_deletions').where('post_id', 'in', ids).execute()
}
