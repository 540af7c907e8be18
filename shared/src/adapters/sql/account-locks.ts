import type { Selectable, Transaction } from 'kysely'
import type { UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import { forShare, forUpdate } from './row-locks'
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
    .selectFrom('accounts')
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
    .selectFrom('accounts')
    .select('user_id')
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
