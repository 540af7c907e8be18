import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import { type IdGenerator, idTime, type UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import type { GraphStore } from '../../ports/graph-store'
import { type Queryable, traitsOf, transact } from './database'
import { createGraphReads, isBlockedEitherWay } from './graph-lists'
import { byIndex } from './index-hints'
import { insertIfAbsent, insertWithFreeId } from './inserts'
import { holdAccounts, lockAccounts, lockActor } from './locks'
import type { Database } from './schema'

export function createSqlGraphStore(db: Kysely<Database>, deps: SqlGraphStoreDeps): GraphStore {
  return { ...createGraphReads(db), ...createGraphWrites(db, deps) }
}

interface SqlGraphStoreDeps {
  readonly clock: Clock
  readonly ids: IdGenerator
}

type GraphWrites = Pick<GraphStore, 'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute'>

/**
 * Every change locks the account of who acts and holds the other's, so that changes between the same two
 * people happen one after the other: a follow cannot slip past the block that another request just sets.
 */
function createGraphWrites(db: Kysely<Database>, { clock, ids }: SqlGraphStoreDeps): GraphWrites {
  return {
    follow: (follower, followee) =>
      transact(db, async (tx) => {
        await lockActorHoldTarget(tx, follower, followee)
        if (await isBlockedEitherWay(tx, follower, followee)) throw new SnsError('blocked')
        if (await insertFollow(tx, follower, followee, ids)) {
          await raiseGraphVersion(tx, [follower])
        }
      }),

    unfollow: (follower, followee) =>
      transact(db, async (tx) => {
        await lockAccounts(tx, [follower])
        const isEnded = await deleteFollow(tx, follower, followee)
        if (isEnded) await raiseGraphVersion(tx, [follower])
        return isEnded
      }),

    block: (blocker, blocked) =>
      transact(db, async (tx) => {
        await lockBoth(tx, blocker, blocked)
        await insertIfAbsent(tx, 'blocks', {
          blocker_id: blocker,
          blocked_id: blocked,
          created_at: clock.now(),
        })
        // A feed holds posts of people followed: who loses no follow keeps the timeline.
        if (await deleteFollow(tx, blocker, blocked)) await raiseGraphVersion(tx, [blocker])
        if (await deleteFollow(tx, blocked, blocker)) await raiseGraphVersion(tx, [blocked])
      }),

    unblock: (blocker, blocked) =>
      transact(db, async (tx) => {
        await lockAccounts(tx, [blocker, blocked])
        const { numDeletedRows } = await tx
          .deleteFrom('blocks')
          .where('blocker_id', '=', blocker)
          .where('blocked_id', '=', blocked)
          .executeTakeFirstOrThrow()
        return numDeletedRows > 0n
      }),

    mute: (muter, muted) =>
      transact(db, async (tx) => {
        await lockActorHoldTarget(tx, muter, muted)
        const isNew = await insertIfAbsent(tx, 'mutes', {
          muter_id: muter,
          muted_id: muted,
          created_at: clock.now(),
        })
        if (isNew) await raiseGraphVersion(tx, [muter])
      }),

    unmute: (muter, muted) =>
      transact(db, async (tx) => {
        await lockAccounts(tx, [muter])
        const { numDeletedRows } = await tx
          .deleteFrom('mutes')
          .where('muter_id', '=', muter)
          .where('muted_id', '=', muted)
          .executeTakeFirstOrThrow()
        if (numDeletedRows > 0n) await raiseGraphVersion(tx, [muter])
        return numDeletedRows > 0n
      }),
  }
}

/** Many may follow one account at once: its row is shared, and is the first of both locks or the second by id. */
async function lockActorHoldTarget(
  tx: Transaction<Database>,
  actor: UserId,
  target: UserId,
): Promise<void> {
  if (actor === target) throw new SnsError('self_target')
  const isFirst = target < actor
  const held = isFirst ? await holdAccounts(tx, [target]) : null
  await lockActor(tx, actor)
  if (!(held ?? (await holdAccounts(tx, [target]))).has(target)) throw new SnsError('not_found')
}

async function lockBoth(tx: Transaction<Database>, actor: UserId, target: UserId): Promise<void> {
  if (actor === target) throw new SnsError('self_target')
  const accounts = await lockAccounts(tx, [actor, target])
  if (!accounts.has(actor)) throw new SnsError('unauthenticated')
  if (!accounts.has(target)) throw new SnsError('not_found')
}

/** False where the follow was there already. */
async function insertFollow(
  tx: Transaction<Database>,
  follower: UserId,
  followee: UserId,
  ids: SqlGraphStoreDeps['ids'],
): Promise<boolean> {
  const idIndexes = ['follows_followee_id_id', 'follows_follower_id_id']
  try {
    await insertWithFreeId(tx, ids.next<'follow'>(), idIndexes, (id) =>
      tx
        .insertInto('follows')
        .values({ follower_id: follower, followee_id: followee, id, created_at: idTime(id) })
        .execute(),
    )
    return true
  } catch (error) {
    if (traitsOf(tx).duplicateIndex(error) === 'PRIMARY') return false
    throw error
  }
}

async function deleteFollow(
  tx: Transaction<Database>,
  follower: UserId,
  followee: UserId,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('follows')
    .where('follower_id', '=', follower)
    .where('followee_id', '=', followee)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Makes the cached timelines of these users stale, in the transaction that changes their graph. */
export async function raiseGraphVersion(db: Queryable, ids: readonly UserId[]): Promise<void> {
  await db
    .updateTable(byIndex('accounts', 'PRIMARY'))
    .set((eb) => ({ graph_version: eb('graph_version', '+', 1) }))
    .where('user_id', 'in', [...ids])
    .execute()
}
