import { type Kysely, sql } from 'kysely'
import type { Clock } from '../../domain/clock'
import { idTime, type UserId } from '../../domain/id'
import { USERNAME_PATTERN, type User } from '../../domain/user'
import { SnsError } from '../../errors/sns-error'
import type { NewUser, Profile, UserStore } from '../../ports/user-store'
import {
  beginDeletion,
  DELETION_LIMITS,
  type DeletionLimits,
  finishDeletion,
  pendingDeletions,
} from './account-deletion'
import { traitsOf, transact } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { raiseGraphVersion } from './graph-store'
import { byIndex, NOT_IN_INDEX } from './index-hints'
import { insertWithFreeId } from './inserts'
import { lockAccounts } from './locks'
import { prepareQuery } from './prepared-query'
import { isResting, pruneRestingUsernames } from './resting-usernames'
import type { Database } from './schema'
import { endEverySession } from './session-store'
import { toUser, USER_COLUMNS } from './user-row'

const USERNAME = new RegExp(USERNAME_PATTERN)

interface SqlUserStoreDeps {
  readonly clock: Clock
  readonly deletion?: DeletionLimits
}

export function createSqlUserStore(
  db: Kysely<Database>,
  { clock, deletion = DELETION_LIMITS }: SqlUserStoreDeps,
): UserStore {
  const accountById = prepareQuery(db, (id: UserId) =>
    db
      .selectFrom('users')
      .innerJoin('accounts', 'accounts.user_id', 'users.id')
      .select([...USER_COLUMNS, 'accounts.graph_version'])
      .where('id', '=', id),
  )

  return {
    create: (user) => createUser(db, clock, user),

    async findAccount(id) {
      const [row] = await accountById(id, [])
      return row ? { ...toUser(row), graphVersion: row.graph_version } : null
    },

    async ids(after, limit) {
      const rows = await db
        .selectFrom(byIndex('users', 'PRIMARY'))
        .select(['id', NOT_IN_INDEX])
        .where('id', '>', after ?? (0 as UserId))
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },

    async findByUsername(username) {
      if (!isUsername(username)) return null
      const row = await db
        .selectFrom('users')
        .select(USER_COLUMNS)
        .where('username', '=', username)
        .executeTakeFirst()
      return row ? toUser(row) : null
    },

    async findIdsByUsername(usernames) {
      const names = usernames.filter(isUsername)
      if (names.length === 0) return new Map()
      const rows = await db
        .selectFrom(byIndex('users', 'users_username'))
        .select(['id', 'username', NOT_IN_INDEX])
        .where('username', 'in', names)
        .execute()
      const ids = new Map(rows.map((row) => [row.username.toLowerCase(), row.id]))
      return new Map(
        names.flatMap((name) => {
          const id = ids.get(name.toLowerCase())
          return id === undefined ? [] : [[name, id] as const]
        }),
      )
    },

    async findProfile(username, viewer) {
      return isUsername(username) ? findProfile(db, username, viewer) : null
    },

    async findVisible(ids, viewer) {
      if (ids.length === 0) return []
      const rows = await db
        .selectFrom(byIndex('users', 'PRIMARY'))
        .select(USER_COLUMNS)
        .where('id', 'in', [...ids])
        .where((eb) => notBlockedEitherWay(viewer, eb.ref('users.id')))
        .execute()
      return rows.map(toUser)
    },

    async findCredentials(username) {
      if (!isUsername(username)) return null
      const row = await db
        .selectFrom('users')
        .innerJoin('accounts', 'accounts.user_id', 'users.id')
        .select([...USER_COLUMNS, 'accounts.password_hash'])
        .where('username', '=', username)
        .executeTakeFirst()
      return row ? { user: toUser(row), passwordHash: row.password_hash } : null
    },

    updateDisplayName: (id, displayName) =>
      transact(db, async (tx) => {
        await tx
          .updateTable('users')
          .set({ display_name: displayName, updated_at: clock.now() })
          .where('id', '=', id)
          .execute()
        const row = await tx
          .selectFrom('users')
          .select(USER_COLUMNS)
          .where('id', '=', id)
          .executeTakeFirst()
        return row ? toUser(row) : null
      }),

    touchGraph: (ids) => transact(db, (tx) => raiseGraphVersion(tx, ids)),

    updatePassword: (id, { from, to }) =>
      transact(db, async (tx) => {
        const account = (await lockAccounts(tx, [id])).get(id)
        if (account?.password_hash !== from) return false
        await tx
          .updateTable('accounts')
          .set({ password_hash: to, session_epoch: account.session_epoch + 1 })
          .where('user_id', '=', id)
          .execute()
        await endEverySession(tx, id)
        return true
      }),

    async delete(id, passwordHash) {
      const isGone = await transact(db, async (tx) => {
        const account = (await lockAccounts(tx, [id])).get(id)
        if (passwordHash !== undefined && account?.password_hash !== passwordHash) return false
        await beginDeletion(tx, id, clock.now())
        return true
      })
      const startedAt = performance.now()
      const mayGoOn = () => performance.now() - startedAt < deletion.inlineMs
      // The account is gone already, and must be announced: what fails here is left to `finishDeletions`.
      if (isGone) await finishDeletion(db, id, mayGoOn, deletion.chunk).catch(() => {})
      return isGone
    },

    async finishDeletions(signal) {
      for (;;) {
        const pending = await pendingDeletions(db)
        for (const id of pending) {
          await finishDeletion(db, id, () => !signal.aborted, deletion.chunk)
        }
        if (pending.length === 0 || signal.aborted) return
      }
    },

    pruneUsernames: (now) => pruneRestingUsernames(db, now),
  }
}

async function createUser(db: Kysely<Database>, clock: Clock, user: NewUser): Promise<User> {
  if (!isUsername(user.username)) {
    const message = `must match ${USERNAME_PATTERN}`
    throw new SnsError('invalid_request', { fields: [{ field: 'username', message }] })
  }
  try {
    return await transact(db, async (tx) => {
      const row = {
        username: user.username,
        display_name: user.displayName,
        updated_at: clock.now(),
      }
      const id = await insertWithFreeId(tx, user.id, ['PRIMARY'], (id) =>
        tx
          .insertInto('users')
          .values({ ...row, id, created_at: idTime(id) })
          .execute(),
      )
      await tx
        .insertInto('accounts')
        .values({ user_id: id, password_hash: user.passwordHash, graph_version: 0 })
        .execute()
      if (await isResting(tx, user.username, clock.now())) throw new SnsError('username_taken')
      return toUser({ ...row, id, created_at: idTime(id) })
    })
  } catch (error) {
    if (traitsOf(db).duplicateIndex(error) !== 'users_username') throw error
    throw new SnsError('username_taken', { cause: error })
  }
}

/**
 * Whether the text can be a username. Checked before the query: the database's collation would
 * match other texts (trailing blanks, full-width letters) or refuse them.
 */
function isUsername(text: string): boolean {
  return USERNAME.test(text)
}

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
        .selectFrom(byIndex('follows', 'follows_followee_id_id'))
        .select(countAll)
        .whereRef('follows.followee_id', '=', 'users.id')
        .as('followers'),
      eb
        .selectFrom(byIndex('follows', 'PRIMARY'))
        .select(countAll)
        .whereRef('follows.follower_id', '=', 'users.id')
        .as('following'),
      eb
        .selectFrom(byIndex('posts', 'posts_author_id'))
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
