import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '@sns/shared/domain/clock'
import { formatId, type IdGenerator, type SessionId, type UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { Grant } from '@sns/shared/domain/session'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import {
  type NewRefreshToken,
  RefreshTokenReused,
  type SessionStore,
} from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { readIdCursor, writeIdCursor } from '../../http/cursors'
import { formatTime, type PageQuery } from '../../http/fields'
import type { RequestContext } from '../../http/request-context'
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from '../../security/access-tokens'
import type { AuthEvents } from '../../security/auth-events'
import { presentUser } from '../users/schema'
import type * as contract from './schema'

const DAY_MS = 24 * 3600 * 1000

export interface SessionsDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly sessions: SessionStore
  readonly accessTokens: Pick<AccessTokens, 'sign'>
  readonly ids: IdGenerator
  readonly clock: Clock
  readonly events: AuthEvents
  /** The longest a session lasts, however often it is refreshed. */
  readonly maxDays: number
}

export type Sessions = ReturnType<typeof createSessions>

/** Starts, refreshes, lists and ends sessions. */
export function createSessions(deps: SessionsDeps) {
  const { users, sessions, accessTokens, ids, clock, events, maxDays } = deps

  async function present(
    user: User,
    grant: Grant,
    refreshToken: string,
  ): Promise<contract.Session> {
    return {
      user: presentUser(user),
      accessToken: await accessTokens.sign(grant),
      refreshToken,
      expiresIn: ACCESS_TOKEN_SECONDS,
    }
  }

  return {
    /** Errors: `bad_credentials` where the password was changed since it was checked. */
    async start(user: User, passwordHash: string): Promise<contract.Session> {
      const now = clock.now()
      const { token, stored } = newRefreshToken(now)
      const grant = await sessions.start(
        {
          id: ids.next<'session'>(),
          userId: user.id,
          passwordHash,
          expiresAt: now + maxDays * DAY_MS,
          token: stored,
        },
        now,
      )
      return present(user, grant, token)
    },

    async refresh(refreshToken: string, context: RequestContext): Promise<contract.Session> {
      const now = clock.now()
      const next = newRefreshToken(now)
      const grant = await sessions
        .rotate(hashToken(refreshToken), next.stored, now)
        .catch((error: unknown) => {
          if (error instanceof RefreshTokenReused)
            events.note('refresh_token_reused', null, context)
          throw error
        })
      const account = await users.findAccount(grant.userId)
      if (!account) throw new SnsError('refresh_token_invalid')
      return present(account, grant, next.token)
    },

    async list(
      userId: UserId,
      current: SessionId,
      query: PageQuery,
    ): Promise<contract.OpenSessionPage> {
      const before = readIdCursor<'session'>('sessions', query.cursor)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const { items, next } = await sessions.list(userId, { before, limit }, clock.now())
      return {
        items: items.map((session) => ({
          id: formatId(session.id),
          createdAt: formatTime(session.createdAt),
          lastUsedAt: formatTime(session.lastUsedAt),
          expiresAt: formatTime(session.expiresAt),
          current: session.id === current,
        })),
        nextCursor: writeIdCursor('sessions', next),
      }
    },

    async end(userId: UserId, id: SessionId): Promise<void> {
      if (!(await sessions.end(userId, id))) throw new SnsError('not_found')
    },

    async logOut(refreshToken: string): Promise<void> {
      await sessions.endByToken(hashToken(refreshToken))
    },
  }
}

const REFRESH_TOKEN_MS = 30 * 24 * 3600 * 1000

/** 256 random bits for the client, their SHA-256 for the store. */
export function newRefreshToken(now: number): { token: string; stored: NewRefreshToken } {
  const token = randomBytes(32).toString('base64url')
  return { token, stored: { hash: hashToken(token), expiresAt: now + REFRESH_TOKEN_MS } }
}

/** Hex. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
