import type { Clock } from '@sns/shared/domain/clock'
import type { SessionId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import type { Account } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { SessionStore } from '@sns/shared/ports/session-store'
import { Elysia } from 'elysia'
import type { Viewers } from '../memory/viewers'
import type { AccessTokens } from '../security/access-tokens'
import type { Limited, RateLimits } from './rate-limits'
import type { RequestContexts } from './request-context'

export type GrantReader = ReturnType<typeof grantReader>

/** Reads the grant from the bearer token. `Viewers` decides whether its session is still open. */
export function grantReader({
  accessTokens,
}: {
  readonly accessTokens: Pick<AccessTokens, 'verify'>
}) {
  /** At once where the token was verified before. Errors: `unauthenticated`. */
  return (request: Request): Grant | Promise<Grant> => {
    const header = request.headers.get('authorization')
    const token = header === null ? undefined : /^bearer +([^\s]+)$/i.exec(header)?.[1]
    if (token === undefined) {
      throw new SnsError('unauthenticated', { detail: 'Send Authorization: Bearer and a token' })
    }
    return accessTokens.verify(token)
  }
}

export function sessionEnded(): SnsError {
  return new SnsError('unauthenticated', { detail: 'The session has ended; log in' })
}

export interface AuthenticationDeps {
  readonly grants: GrantReader
  readonly viewers: Pick<Viewers, 'account'>
  readonly sessions: Pick<SessionStore, 'findViewer'>
  readonly freshness: Pick<Freshness, 'barrier'>
  readonly clock: Clock
  readonly contexts: RequestContexts
  readonly limits: RateLimits
}

export type Authentication = ReturnType<typeof authentication>

/** Who asks, and whether this process has heard every change that was answered before. */
type Authenticated = {
  readonly viewer: Account
  readonly sessionId: SessionId
  readonly isHeard: boolean
}

/**
 * Gives the routes of the module that uses it an `Authenticated` (the signed-in account and its session), or
 * answers 401. Ending a session ends its access tokens at once: each request waits for the
 * freshness barrier, or asks SQL.
 */
export function authentication(deps: AuthenticationDeps) {
  const { grants, viewers, sessions, freshness, clock, contexts, limits } = deps

  async function authenticate(
    request: Request,
    headers: Limited['headers'],
  ): Promise<Authenticated> {
    const context = contexts.of(request)
    const kind = request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'write'
    if (limits.isOn) await limits.address(kind, { context, headers })
    const grant = await grants(request)
    const isHeard = await freshness.barrier().then(
      () => true,
      () => false,
    )
    const viewer = isHeard
      ? await viewers.account(grant)
      : await sessions.findViewer(grant, clock.now())
    if (!viewer) throw sessionEnded()
    context.userId = viewer.id
    if (limits.isOn) await limits.account(kind, viewer.id, { context, headers })
    return { viewer, sessionId: grant.sessionId, isHeard }
  }

  return new Elysia({ name: 'authentication' }).derive({ as: 'scoped' }, ({ request, set }) =>
    authenticate(request, set.headers),
  )
}
