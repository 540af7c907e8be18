import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { SessionId, UserId } from '../../domain/id'
import { pageOf } from '../../domain/page'
import { type Grant, REFRESH_GRACE_MS, type Session } from '../../domain/session'
import { SnsError } from '../../errors/sns-error'
import {
  type NewRefreshToken,
  type NewSession,
  RefreshTokenReused,
  type SessionStore,
} from '../../ports/session-store'
import { deleteInChunks } from './bounded-delete'
import { transact } from './database'
import { byIndex, deleteByIndex } from './index-hints'
import { insertWithFreeId } from './inserts'
import { lockAccounts } from './locks'
import { prepareQuery } from './prepared-query'
import type { Database, RefreshTokensTable, SessionsTable } from './schema'
import { toUser, USER_COLUMNS } from './user-row'

/**
 * All changes of a user's sessions take the lock on the user's account first: without it, a session that
 * ends could miss the token that a rotation adds to it at the same moment.
 */
export function createSqlSessionStore(db: Kysely<Database>): SessionStore {
  const viewerById = prepareQuery(db, (userId: UserId, sessionIds: readonly SessionId[]) =>
    db
      .selectFrom('users')
      .innerJoin('accounts', 'accounts.user_id', 'users.id')
      .innerJoin('sessions', 'sessions.user_id', 'users.id')
      .select([...USER_COLUMNS, 'accounts.graph_version', 'accounts.session_epoch'])
      .select('sessions.live_until')
      .where('users.id', '=', userId)
      .where('sessions.id', 'in', sessionIds.slice(0, 1)),
  )

  return {
    start: (session, now) => transact(db, (tx) => startSession(tx, session, now)),

    async rotate(hash, next, now) {
      const outcome = await transact(db, (tx) => rotate(tx, hash, next, now))
      // Thrown outside the transaction: the end of the session must commit.
      if (outcome.kind === 'reused') throw new RefreshTokenReused(outcome.userId)
      if (outcome.kind === 'invalid') throw new SnsError('refresh_token_invalid')
      return outcome.grant
    },

    async findViewer({ userId, sessionId, epoch }, now) {
      const [row] = await viewerById(userId, [sessionId])
      if (!row || row.session_epoch !== epoch || row.live_until <= now) return null
      return { ...toUser(row), graphVersion: row.graph_version, liveUntil: row.live_until }
    },

    async list(userId, page, now) {
      let query = db
        .selectFrom(byIndex('sessions', 'sessions_user'))
        .selectAll()
        .where('user_id', '=', userId)
        .where('live_until', '>', now)
        .orderBy('id', 'desc')
        .limit(page.limit + 1)
      if (page.before !== null) query = query.where('id', '<', page.before)
      return pageOf(await query.execute(), page.limit, (row) => row.id, toSession)
    },

    end: (userId, id) =>
      transact(db, async (tx) => {
        await lockAccounts(tx, [userId])
        const session = await tx
          .selectFrom('sessions')
          .select('family_id')
          .where('id', '=', id)
          .where('user_id', '=', userId)
          .executeTakeFirst()
        if (!session) return false
        await endSession(tx, session.family_id)
        return true
      }),

    async endByToken(hash) {
      const token = await findToken(db, hash)
      if (!token) return null
      await transact(db, async (tx) => {
        await lockAccounts(tx, [token.user_id])
        await endSession(tx, token.family_id)
      })
      return token.user_id
    },

    async prune(now) {
      await deleteInChunks(db, {
        table: 'refresh_tokens',
        primaryKey: ['hash'],
        where: sql`expires_at < ${now}`,
        index: 'refresh_tokens_expiry',
      })
      await deleteInChunks(db, {
        table: 'sessions',
        primaryKey: ['id'],
        where: sql`live_until < ${now}`,
        index: 'sessions_live_until',
      })
    },
  }
}

/**
 * Ends every session of an account whose row the transaction has locked. Without its session a refresh token is worth
 * nothing: they may be many thousands, and go as they expire.
 */
export async function endEverySession(tx: Transaction<Database>, userId: UserId): Promise<void> {
  await deleteByIndex(tx, 'sessions', 'sessions_user', (eb) => eb('user_id', '=', userId))
}

async function startSession(
  tx: Transaction<Database>,
  { id, userId, passwordHash, expiresAt, token }: NewSession,
  now: number,
): Promise<Grant> {
  const account = (await lockAccounts(tx, [userId])).get(userId)
  if (!account) throw new SnsError('unauthenticated')
  if (account.password_hash !== passwordHash) throw new SnsError('bad_credentials')
  const family = { id: crypto.randomUUID(), userId }
  const sessionId = await insertWithFreeId(tx, id, ['PRIMARY'], (id) =>
    tx
      .insertInto('sessions')
      .values({
        id,
        user_id: userId,
        family_id: family.id,
        created_at: now,
        last_used_at: now,
        live_until: Math.min(token.expiresAt, expiresAt),
        expires_at: expiresAt,
        rotations: 0,
        is_repeated: 0,
      })
      .execute(),
  )
  await insertToken(tx, family, token, now)
  return { userId, sessionId, epoch: account.session_epoch }
}

type Rotation =
  | { readonly kind: 'rotated'; readonly grant: Grant }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'reused'; readonly userId: UserId }

const INVALID: Rotation = { kind: 'invalid' }

async function rotate(
  tx: Transaction<Database>,
  hash: string,
  next: NewRefreshToken,
  now: number,
): Promise<Rotation> {
  const owner = await findToken(tx, hash)
  if (!owner) return INVALID
  const account = (await lockAccounts(tx, [owner.user_id])).get(owner.user_id)
  const token = await findToken(tx, hash)
  if (!account || !token || token.revoked_at !== null) return INVALID
  const session = await tx
    .selectFrom('sessions')
    .selectAll()
    .where('family_id', '=', token.family_id)
    .executeTakeFirst()
  if (!session || session.live_until <= now) return INVALID
  const use = useOf(token, session, now)
  if (use === 'reused') {
    await endSession(tx, token.family_id)
    return { kind: 'reused', userId: token.user_id }
  }
  if (token.expires_at <= now) return INVALID

  const expiresAt = Math.min(next.expiresAt, session.expires_at)
  const rotations = use === 'first' ? session.rotations + 1 : session.rotations
  if (use === 'first') {
    await tx
      .updateTable(byIndex('refresh_tokens', 'refresh_tokens_family'))
      .set({ replaced_at: now, replaced_in: rotations })
      .where('family_id', '=', token.family_id)
      .where('replaced_at', 'is', null)
      .execute()
  }
  const family = { id: token.family_id, userId: token.user_id }
  await insertToken(tx, family, { hash: next.hash, expiresAt }, now)
  await tx
    .updateTable('sessions')
    .set({
      last_used_at: now,
      live_until: expiresAt,
      rotations,
      is_repeated: use === 'first' ? 0 : 1,
    })
    .where('id', '=', session.id)
    .execute()
  const epoch = account.session_epoch
  return { kind: 'rotated', grant: { userId: token.user_id, sessionId: session.id, epoch } }
}

function useOf(
  token: Selectable<RefreshTokensTable>,
  session: Selectable<SessionsTable>,
  now: number,
): 'first' | 'repeated' | 'reused' {
  if (token.replaced_at === null) return 'first'
  const isLatest = token.replaced_in === session.rotations
  const isSoon = now - token.replaced_at <= REFRESH_GRACE_MS
  return isLatest && isSoon && session.is_repeated === 0 ? 'repeated' : 'reused'
}

function findToken(db: Kysely<Database>, hash: string) {
  return db.selectFrom('refresh_tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
}

async function insertToken(
  tx: Transaction<Database>,
  family: { readonly id: string; readonly userId: UserId },
  token: NewRefreshToken,
  now: number,
): Promise<void> {
  await tx
    .insertInto('refresh_tokens')
    .values({
      hash: token.hash,
      family_id: family.id,
      user_id: family.userId,
      expires_at: token.expiresAt,
      replaced_at: null,
      replaced_in: null,
      revoked_at: null,
      created_at: now,
    })
    .execute()
}

async function endSession(tx: Transaction<Database>, family: string): Promise<void> {
  await deleteByIndex(tx, 'sessions', 'sessions_family', (eb) => eb('family_id', '=', family))
}

function toSession(row: Selectable<SessionsTable>): Session {
  return {
    id: row.id,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
  }
}
