import type { Clock } from '@sns/shared/domain/clock'
import type { SessionId } from '@sns/shared/domain/id'
import type { Account } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { SessionStore } from '@sns/shared/ports/session-store'
import { Elysia } from 'elysia'
import type { AccessTokens } from '../security/access-tokens'
import type { RequestContexts } from './request-context'

export interface AuthenticationDeps {
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly clock: Clock
  readonly contexts: RequestContexts
}

export type Authentication = ReturnType<typeof authentication>

/**
 * Gives the routes of the module that uses it `viewer`, the signed-in account, and `sessionId`, or
 * answers 401. The account is read with its session each time: it carries the graph version, and what
 * ends the session ends its tokens at once.
 */
export function authentication({ sessions, accessTokens, clock, contexts }: AuthenticationDeps) {
  async function authenticate(
    request: Request,
  ): Promise<{ readonly viewer: Account; readonly sessionId: SessionId }> {
    const header = request.headers.get('authorization')
    const token = header === null ? undefined : /^bearer +([^\s]+)$/i.exec(header)?.[1]
    if (token === undefined) {
      throw new SnsError('unauthenticated', { detail: 'Send Authorization: Bearer and a token' })
    }
    const grant = await accessTokens.verify(token)
    const viewer = await sessions.findViewer(grant, clock.now())
    if (!viewer) {
      throw new SnsError('unauthenticated', { detail: 'The session has ended; log in' })
    }
    contexts.of(request).userId = viewer.id
    return { viewer, sessionId: grant.sessionId }
  }

  return new Elysia({ name: 'authentication' }).derive({ as: 'scoped' }, ({ request }) =>
    authenticate(request),
  )
}
