import type { Selectable, SelectQueryBuilder, Transaction } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import { traitsOf } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { byIndex } from './index-hints'
import { BODY_COLUMNS, type BodyRow } from './post-reads'
import type { AccountsTable, Database } from './schema'

/**
 * Locks the accounts until the transaction ends, always in id order so that two transactions cannot
 * wait for each other, and returns those that exist. SQLite has one writer: there it only reads.
 */
export async function lockAccounts(
  tx: Transaction<Database>,
  ids: readonly UserId[],
): Promise<ReadonlyMap<UserId, Selectable<AccountsTable>>> {
  const query = tx
    .selectFrom(byIndex('accounts', 'PRIMARY'))
    .selectAll()
    .where('user_id', 'in', [...ids])
    .orderBy('user_id')
  const rows = await forUpdate(tx, query).execute()
  return new Map(rows.map((row) => [row.user_id, row]))
}

/**
 * Keeps the accounts from being deleted until the transaction ends. Many may do so at once, and all that
 * waits for them is a change of the account itself. To be called in id order where another is locked too.
 */
export async function holdAccounts(
  tx: Transaction<Database>,
  ids: readonly UserId[],
): Promise<ReadonlySet<UserId>> {
  const query = tx
    .selectFrom(byIndex('accounts', 'PRIMARY'))
    // More than the key: see `NOT_IN_INDEX`.
    .select(['user_id', 'graph_version'])
    .where('user_id', 'in', [...ids])
  const rows = await forShare(tx, query.orderBy('user_id')).execute()
  return new Set(rows.map((row) => row.user_id))
}

/** Holds the account that somebody acts by. Throws `unauthenticated` where it is gone. */
export async function holdActor(tx: Transaction<Database>, id: UserId): Promise<void> {
  const accounts = await holdAccounts(tx, [id])
  if (!accounts.has(id)) throw new SnsError('unauthenticated')
}

/**
 * Locks the account that somebody acts by, so that its requests take turns. Throws `unauthenticated`
 * where it is gone.
 */
export async function lockActor(tx: Transaction<Database>, id: UserId): Promise<void> {
  const accounts = await lockAccounts(tx, [id])
  if (!accounts.has(id)) throw new SnsError('unauthenticated')
}

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
    // The posts of a deleted account cannot be liked, though rows may remain for a while.
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

/**
 * Keeps the rows from being changed or removed until the transaction ends; others may do the same at the
 * same time. SQLite has one writer: nothing to do.
 */
function forShare<DB, TB extends keyof DB, Row>(
  tx: Transaction<Database>,
  query: SelectQueryBuilder<DB, TB, Row>,
): SelectQueryBuilder<DB, TB, Row> {
  return traitsOf(tx).kind === 'mysql' ? query.forShare() : query
}

/** Keeps the rows as they were read until the transaction ends. SQLite has one writer: nothing to do. */
export function forUpdate<DB, TB extends keyof DB, Row>(
  tx: Transaction<Database>,
  query: SelectQueryBuilder<DB, TB, Row>,
): SelectQueryBuilder<DB, TB, Row> {
  return traitsOf(tx).kind === 'mysql' ? query.forUpdate() : query
}
