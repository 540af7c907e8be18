import { type Kysely, sql, type Transaction } from 'kysely'
import type { UserId } from '../../domain/id'
import { USERNAME_REST_MS } from '../../domain/user'
import { deleteInChunks } from './bounded-delete'
import type { Database } from './schema'

/** Called in the transaction that removes the user's row, before it is gone. */
export async function restUsername(
  tx: Transaction<Database>,
  id: UserId,
  now: number,
): Promise<void> {
  const user = await tx
    .selectFrom('users')
    .select('username')
    .where('id', '=', id)
    .executeTakeFirst()
  if (!user) return
  const { username } = user
  await tx.deleteFrom('resting_usernames').where('username', '=', username).execute()
  await tx
    .insertInto('resting_usernames')
    .values({ username, rests_until: now + USERNAME_REST_MS })
    .execute()
}

/**
 * Asked in the transaction that takes the name, after it was taken: the unique index has then waited for
 * a deletion in progress.
 */
export async function isResting(
  tx: Transaction<Database>,
  username: string,
  now: number,
): Promise<boolean> {
  const row = await tx
    .selectFrom('resting_usernames')
    .select('username')
    .where('username', '=', username)
    .where('rests_until', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

export function pruneRestingUsernames(db: Kysely<Database>, now: number): Promise<void> {
  return deleteInChunks(db, {
    table: 'resting_usernames',
    primaryKey: ['username'],
    where: sql`rests_until <= ${now}`,
    index: 'resting_usernames_end',
  })
}
