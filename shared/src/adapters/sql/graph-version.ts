import type { UserId } from '../../domain/id'
import type { Queryable } from './dialect'

/** Makes the cached timelines of these users stale, in the transaction that changes their graph. */
export async function raiseGraphVersion(db: Queryable, ids: readonly UserId[]): Promise<void> {
  await db
    .updateTable('accounts')
    .set((eb) => ({ graph_version: eb('graph_version', '+', 1) }))
    .where('user_id', 'in', [...ids])
    .execute()
}
