import type { Kysely } from 'kysely'
import type { UserId } from '../../domain/id'
import type { Page } from '../../domain/page'
import type { User } from '../../domain/user'
import type { TieKey, TiePage } from '../../ports/graph-store'
import { pageOf } from './page'
import type { Database } from './schema'
import { toUser, USER_COLUMNS } from './user-row'
import { notBlockedEitherWay } from './visibility'

export async function listBlocks(
  db: Kysely<Database>,
  blocker: UserId,
  { before, limit }: TiePage,
): Promise<Page<User, TieKey>> {
  let query = db
    .selectFrom('blocks')
    .innerJoin('users', 'users.id', 'blocks.blocked_id')
    .select(USER_COLUMNS)
    .select('blocks.created_at as tied_at')
    .where('blocks.blocker_id', '=', blocker)
    .orderBy('blocks.created_at', 'desc')
    .orderBy('blocks.blocked_id', 'desc')
    .limit(limit + 1)
  if (before !== null) {
    query = query.where((eb) =>
      eb.or([
        eb('blocks.created_at', '<', before.at),
        eb('blocks.created_at', '=', before.at).and('blocks.blocked_id', '<', before.user),
      ]),
    )
  }
  return pageOf(await query.execute(), limit, toTieKey, toUser)
}

export async function listMutes(
  db: Kysely<Database>,
  muter: UserId,
  { before, limit }: TiePage,
): Promise<Page<User, TieKey>> {
  let query = db
    .selectFrom('mutes')
    .innerJoin('users', 'users.id', 'mutes.muted_id')
    .select(USER_COLUMNS)
    .select('mutes.created_at as tied_at')
    .where('mutes.muter_id', '=', muter)
    .where((eb) => notBlockedEitherWay(muter, eb.ref('mutes.muted_id')))
    .orderBy('mutes.created_at', 'desc')
    .orderBy('mutes.muted_id', 'desc')
    .limit(limit + 1)
  if (before !== null) {
    query = query.where((eb) =>
      eb.or([
        eb('mutes.created_at', '<', before.at),
        eb('mutes.created_at', '=', before.at).and('mutes.muted_id', '<', before.user),
      ]),
    )
  }
  return pageOf(await query.execute(), limit, toTieKey, toUser)
}

function toTieKey(row: { readonly tied_at: number; readonly id: UserId }): TieKey {
  return { at: row.tied_at, user: row.id }
}
