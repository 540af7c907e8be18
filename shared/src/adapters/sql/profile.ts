import { type Kysely, sql } from 'kysely'
import type { UserId } from '../../domain/id'
import type { Profile } from '../../ports/user-store'
import type { Database } from './schema'
import { toUser, USER_COLUMNS } from './user-row'
import { notBlockedEitherWay } from './visibility'

/** A user with counts and with what stands between the user and `viewer`, in one query. */
export async function findProfile(
  db: Kysely<Database>,
  username: string,
  viewer: UserId,
): Promise<Profile | null> {
  const row = await db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .select((eb) => [
      eb
        .selectFrom('follows')
        .select(countAll)
        .whereRef('follows.followee_id', '=', 'users.id')
        .as('followers'),
      eb
        .selectFrom('follows')
        .select(countAll)
        .whereRef('follows.follower_id', '=', 'users.id')
        .as('following'),
      eb
        .selectFrom('posts')
        .select(countAll)
        .whereRef('posts.author_id', '=', 'users.id')
        .as('posts'),
      eb
        .selectFrom('follows')
        .select(countAll)
        .where('follows.follower_id', '=', viewer)
        .whereRef('follows.followee_id', '=', 'users.id')
        .as('is_followed'),
      eb
        .selectFrom('follows')
        .select(countAll)
        .whereRef('follows.follower_id', '=', 'users.id')
        .where('follows.followee_id', '=', viewer)
        .as('is_following_viewer'),
      eb
        .selectFrom('mutes')
        .select(countAll)
        .where('mutes.muter_id', '=', viewer)
        .whereRef('mutes.muted_id', '=', 'users.id')
        .as('is_muted'),
    ])
    .where('username', '=', username)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('users.id')))
    .executeTakeFirst()
  if (!row) return null
  return {
    ...toUser(row),
    counts: {
      followers: row.followers ?? 0,
      following: row.following ?? 0,
      posts: row.posts ?? 0,
    },
    viewer: {
      following: row.is_followed === 1,
      followedBy: row.is_following_viewer === 1,
      muted: row.is_muted === 1,
    },
  }
}

const countAll = sql<number>`count(*)`.as('count')
