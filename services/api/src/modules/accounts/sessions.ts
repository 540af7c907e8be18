import type * as contract from '@sns/shared/contract/http/session'
import type { Clock } from '@sns/shared/domain/clock'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { presentUser } from '../../presentation/user'
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from '../../security/access-tokens'
import { hashToken, newRefreshToken } from '../../security/refresh-tokens'

export interface SessionsDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly sessions: SessionStore
  readonly accessTokens: Pick<AccessTokens, 'sign'>
  readonly clock: Clock
}

export type Sessions = ReturnType<typeof createSessions>

/** Starts, goes on with and ends sessions: a family of rotating refresh tokens each. */
export function createSessions({ users, sessions, accessTokens, clock }: SessionsDeps) {
  async function present(user: User, refreshToken: string): Promise<contract.Session> {
    return {
      user: presentUser(user),
      accessToken: await accessTokens.sign(user.id),
      refreshToken,
      expiresIn: ACCESS_TOKEN_SECONDS,
    }
  }

  return {
    async start(user: User): Promise<contract.Session> {
      const { token, stored } = newRefreshToken(clock.now())
      await sessions.start(user.id, crypto.randomUUID(), stored)
      return present(user, token)
    },

    async refresh(refreshToken: string): Promise<contract.Session> {
      const now = clock.now()
      const next = newRefreshToken(now)
      const { userId } = await sessions.rotate(hashToken(refreshToken), next.stored, now)
      const account = await users.findAccount(userId)
      if (!account) throw new SnsError('refresh_token_invalid')
      return present(account, next.token)
    },

    end(refreshToken: string): Promise<void> {
      return sessions.end(hashToken(refreshToken))
    },
  }
}
