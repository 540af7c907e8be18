import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import type { NewRefreshToken, SessionStore } from '../../ports/session-store'
import { lockAccounts, lockActor } from './account-locks'
import type { Database } from './schema'
import { transact } from './transaction'

export interface SqlSessionStoreDeps {
  readonly clock: Clock
}

/**
 * All changes of a user's tokens take the lock on the user's account first: without it, a family that
 * ends could miss the token that a rotation adds to it at the same moment.
 */
export function createSqlSessionStore(
  db: Kysely<Database>,
  { clock }: SqlSessionStoreDeps,
): SessionStore {
  return {
    start: (userId, familyId, token) =>
      transact(db, async (tx) => {
        await lockActor(tx, userId)
        await insertToken(tx, { userId, familyId, token, now: clock.now() })
      }),

    async rotate(hash, next, now) {
      const outcome = await transact(db, (tx) => rotate(tx, hash, next, now))
      // Thrown out here, as the end of the family must be committed.
      if (outcome.kind === 'refused') throw new SnsError(outcome.code)
      return { userId: outcome.userId }
    },

    async end(hash) {
      const token = await findToken(db, hash)
      if (!token) return
      await transact(db, async (tx) => {
        await lockAccounts(tx, [token.user_id])
        await revokeFamily(tx, token.family_id, clock.now())
      })
    },

    endAll: (userId) =>
      transact(db, async (tx) => {
        await lockAccounts(tx, [userId])
        await tx
          .updateTable('refresh_tokens')
          .set({ revoked_at: clock.now() })
          .where('user_id', '=', userId)
          .where('revoked_at', 'is', null)
          .execute()
      }),

    prune: (now) =>
      transact(db, async (tx) => {
        await tx.deleteFrom('refresh_tokens').where('expires_at', '<', now).execute()
      }),
  }
}

type Rotation =
  | { readonly kind: 'rotated'; readonly userId: UserId }
  | {
      readonly kind: 'refused'
      readonly code: 'refresh_token_invalid' | 'refresh_token_reused'
    }

const INVALID: Rotation = { kind: 'refused', code: 'refresh_token_invalid' }

async function rotate(
  tx: Transaction<Database>,
  hash: string,
  next: NewRefreshToken,
  now: number,
): Promise<Rotation> {
  const owner = await findToken(tx, hash)
  if (!owner) return INVALID
  const accounts = await lockAccounts(tx, [owner.user_id])
  const token = await findToken(tx, hash)
  if (!token || !accounts.has(token.user_id) || token.revoked_at !== null) return INVALID
  if (token.replaced_at !== null) {
    await revokeFamily(tx, token.family_id, now)
    return { kind: 'refused', code: 'refresh_token_reused' }
  }
  if (token.expires_at <= now) return INVALID
  await tx
    .updateTable('refresh_tokens')
    .set({ replaced_at: now })
    .where('hash', '=', hash)
    .execute()
  await insertToken(tx, { userId: token.user_id, familyId: token.family_id, token: next, now })
  return { kind: 'rotated', userId: token.user_id }
}

function findToken(db: Kysely<Database>, hash: string) {
  return db.selectFrom('refresh_tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
}

async function insertToken(
  tx: Transaction<Database>,
  {
    userId,
    familyId,
    token,
    now,
  }: {
    readonly userId: UserId
    readonly familyId: string
    readonly token: NewRefreshToken
    readonly now: number
  },
): Promise<void> {
  await tx
    .insertInto('refresh_tokens')
    .values({
      hash: token.hash,
      family_id: familyId,
      user_id: userId,
      expires_at: token.expiresAt,
      replaced_at: null,
      revoked_at: null,
      created_at: now,
    })
    .execute()
}

async function revokeFamily(tx: Transaction<Database>, family: string, now: number): Promise<void> {
  await tx
    .updateTable('refresh_tokens')
    .set({ revoked_at: now })
    .where('family_id', '=', family)
    .where('revoked_at', 'is', null)
    .execute()
}
