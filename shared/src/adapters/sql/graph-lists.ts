import type { Kysely } from 'kysely'
import type { FollowId, UserId } from '../../domain/id'
import { type Page, pageOf } from '../../domain/page'
import type { User } from '../../domain/user'
import type {
  FollowPage,
  FollowPair,
  GraphStore,
  RelationshipKey,
  RelationshipPage,
} from '../../ports/graph-store'
import type { Queryable } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { byIndex, IN_ORDER, NOT_IN_INDEX } from './index-hints'
import { isBelowKey } from './row-values'
import type { Database } from './schema'
import { toUser, USER_COLUMNS } from './user-row'

type GraphReads = Pick<
  GraphStore,
  | 'isBlockedBy'
  | 'isBlockedEitherWay'
  | 'blockedEitherWay'
  | 'blocks'
  | 'mutes'
  | 'followers'
  | 'following'
  | 'withFewerFollowers'
  | 'followersOf'
>

export function createGraphReads(db: Kysely<Database>): GraphReads {
  return {
    async isBlockedBy(user, by) {
      const row = await db
        .selectFrom('blocks')
        .select('blocker_id')
        .where('blocker_id', '=', by)
        .where('blocked_id', '=', user)
        .executeTakeFirst()
      return row !== undefined
    },

    isBlockedEitherWay: (a, b) => isBlockedEitherWay(db, a, b),

    async blockedEitherWay(viewer) {
      const rows = await db
        .selectFrom(byIndex('blocks', 'PRIMARY'))
        .select('blocked_id as id')
        .where('blocker_id', '=', viewer)
        .union(
          db
            .selectFrom(byIndex('blocks', 'blocks_blocked'))
            .select('blocker_id as id')
            .where('blocked_id', '=', viewer),
        )
        .execute()
      return rows.map((row) => row.id)
    },

    blocks: (blocker, page) => listBlocks(db, blocker, page),

    mutes: (muter, page) => listMutes(db, muter, page),

    followers: (of, viewer, page) =>
      listFollows(db, { by: 'followee_id', of, listed: 'follower_id', viewer, page }),

    following: (of, viewer, page) =>
      listFollows(db, { by: 'follower_id', of, listed: 'followee_id', viewer, page }),

    async withFewerFollowers(authors, limit) {
      if (authors.length === 0) return []
      const rows = await db
        .selectFrom(byIndex('users', 'PRIMARY'))
        .select(['id', NOT_IN_INDEX])
        .where('id', 'in', authors)
        .where((eb) =>
          eb(
            eb
              .selectFrom(byIndex('follows', 'follows_followee_id_id'))
              .select('follows.id')
              .whereRef('followee_id', '=', 'users.id')
              .limit(1)
              .offset(limit - 1),
            'is not',
            null,
          ),
        )
        .execute()
      const many = new Set(rows.map((row) => row.id))
      return authors.filter((author) => !many.has(author))
    },

    followersOf: (authors, after, limit) => followersOf(db, authors, after, limit),
  }
}

export async function isBlockedEitherWay(db: Queryable, a: UserId, b: UserId): Promise<boolean> {
  const block = (blocker: UserId, blocked: UserId) =>
    db
      .selectFrom('blocks')
      .select('blocker_id')
      .where('blocker_id', '=', blocker)
      .where('blocked_id', '=', blocked)
  const row = await block(a, b).unionAll(block(b, a)).executeTakeFirst()
  return row !== undefined
}

interface FollowList {
  readonly by: 'follower_id' | 'followee_id'
  readonly of: UserId
  readonly listed: 'follower_id' | 'followee_id'
  readonly viewer: UserId
  readonly page: FollowPage
}

async function listFollows(
  db: Kysely<Database>,
  { by, of, listed, viewer, page }: FollowList,
): Promise<Page<User, FollowId>> {
  let query = db
    .selectFrom(byIndex('follows', `follows_${by}_id`))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', `follows.${listed}`)
    .select(USER_COLUMNS)
    .select(['follows.id as follow_id', 'follows.created_at as followed_at'])
    .where(`follows.${by}`, '=', of)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref(`follows.${listed}`)))
    .orderBy('follows.id', 'desc')
    .limit(page.limit + 1)
  if (page.before !== null) query = query.where('follows.id', '<', page.before)
  return pageOf(await query.execute(), page.limit, (row) => row.follow_id, toUser)
}

/**
 * In two steps, as each is one walk along the index in its order: the rest of the author that `after`
 * stopped at, then the authors above.
 */
async function followersOf(
  db: Kysely<Database>,
  authors: readonly UserId[],
  after: FollowPair | null,
  limit: number,
): Promise<readonly FollowPair[]> {
  const pairs: FollowPair[] = []
  if (after && authors.includes(after.author)) {
    const rest = followPairs(db, [after.author], limit).where('id', '>', after.followId)
    pairs.push(...(await rest.execute()))
  }
  const above = authors.filter((author) => !after || author > after.author)
  if (above.length > 0 && pairs.length < limit) {
    pairs.push(...(await followPairs(db, above, limit - pairs.length).execute()))
  }
  return pairs
}

function followPairs(db: Kysely<Database>, authors: readonly UserId[], limit: number) {
  return db
    .selectFrom(byIndex('follows', 'follows_followee_id_id'))
    .select(['followee_id as author', 'follower_id as follower', 'id as followId', NOT_IN_INDEX])
    .where('followee_id', 'in', authors)
    .orderBy('followee_id')
    .orderBy('id')
    .limit(limit)
}

async function listBlocks(
  db: Kysely<Database>,
  blocker: UserId,
  { before, limit }: RelationshipPage,
): Promise<Page<User, RelationshipKey>> {
  let query = db
    .selectFrom(byIndex('blocks', 'blocks_age'))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'blocks.blocked_id')
    .select(USER_COLUMNS)
    .select('blocks.created_at as tied_at')
    .where('blocks.blocker_id', '=', blocker)
    .orderBy('blocks.created_at', 'desc')
    .orderBy('blocks.blocked_id', 'desc')
    .limit(limit + 1)
  if (before !== null) {
    const key = ['blocks.created_at', 'blocks.blocked_id'] as const
    query = query.where(isBelowKey(key, [before.at, before.user]))
  }
  return pageOf(await query.execute(), limit, toRelationshipKey, toUser)
}

async function listMutes(
  db: Kysely<Database>,
  muter: UserId,
  { before, limit }: RelationshipPage,
): Promise<Page<User, RelationshipKey>> {
  let query = db
    .selectFrom(byIndex('mutes', 'mutes_age'))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'mutes.muted_id')
    .select(USER_COLUMNS)
    .select('mutes.created_at as tied_at')
    .where('mutes.muter_id', '=', muter)
    .where((eb) => notBlockedEitherWay(muter, eb.ref('mutes.muted_id')))
    .orderBy('mutes.created_at', 'desc')
    .orderBy('mutes.muted_id', 'desc')
    .limit(limit + 1)
  if (before !== null) {
    const key = ['mutes.created_at', 'mutes.muted_id'] as const
    query = query.where(isBelowKey(key, [before.at, before.user]))
  }
  return pageOf(await query.execute(), limit, toRelationshipKey, toUser)
}

function toRelationshipKey(row: {
  readonly tied_at: number
  readonly id: UserId
}): RelationshipKey {
  return { at: row.tied_at, user: row.id }
}
