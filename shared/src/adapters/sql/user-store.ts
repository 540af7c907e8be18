import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import { idTime, type UserId } from '../../domain/id'
import { USERNAME_PATTERN, type User } from '../../domain/user'
import { SnsError } from '../../errors/sns-error'
import type { NewUser, UserStore } from '../../ports/user-store'
import {
  beginDeletion,
  DELETION_LIMITS,
  type DeletionLimits,
  finishDeletion,
  pendingDeletions,
} from './account-deletion'
import { lockAccounts } from './account-locks'
import { traitsOf } from './dialect'
import { raiseGraphVersion } from './graph-version'
import { insertWithFreeId } from './insert-with-free-id'
import { prepareQuery } from './prepared-query'
import { findProfile } from './profile'
import { isResting, pruneRestingUsernames } from './resting-usernames'
import type { Database } from './schema'
import { endEverySession } from './session-store'
import { transact } from './transaction'
import { toUser, USER_COLUMNS } from './user-row'
import { notBlockedEitherWay } from './visibility'

const USERNAME = new RegExp(USERNAME_PATTERN)

export interface SqlUserStoreDeps {
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
        .selectFrom('users')
        .select('id')
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

    async findProfile(username, viewer) {
      return isUsername(username) ? findProfile(db, username, viewer) : null
    },

    async findVisible(ids, viewer) {
      if (ids.length === 0) return []
      const rows = await db
        .selectFrom('users')
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

    touchGraph: (id) => transact(db, (tx) => raiseGraphVersion(tx, [id])),

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
      if (isGone) await finishDeletion(db, id, mayGoOn, deletion.chunk)
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

    pruneUsernames: (now) => transact(db, (tx) => pruneRestingUsernames(tx, now)),
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
 * Whether anybody could be called that. Asked before the database is: its collations would let other
 * texts (trailing blanks, full-width letters) pass for a name or fail the query.
 */
function isUsername(text: string): boolean {
  return USERNAME.test(text)
}
