import { jwt } from '@elysiajs/jwt'
import type { Clock } from '@sns/shared/domain/clock'
import { formatId, parseId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { SnsError } from '@sns/shared/errors/sns-error'
import { LRUCache } from 'lru-cache'

export const ACCESS_TOKEN_SECONDS = 15 * 60

const ALGORITHM = 'HS256'
const ISSUER = 'sns'
const AUDIENCE = 'sns-api'
/** How many verified tokens are remembered; the least recently used are forgotten first. */
const REMEMBERED = 50_000

export interface AccessTokensDeps {
  readonly clock: Clock
  readonly secretKey: string
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

/**
 * Signs and checks access tokens. A token is verified once and remembered until it expires:
 * verifying costs more than the rest of an empty request. `SessionStore.findViewer` decides whether
 * its account and session still exist.
 */
export function createAccessTokens(
  { clock, secretKey }: AccessTokensDeps,
  { remembered = REMEMBERED }: { readonly remembered?: number } = {},
) {
  // What the plugin puts on a request's context works without one.
  const tokens = jwt({ secret: secretKey, alg: ALGORITHM, iss: ISSUER, aud: AUDIENCE }).decorator
    .jwt
  const verified = new LRUCache<string, { readonly grant: Grant; readonly expiresAt: number }>({
    max: remembered,
  })

  async function readClaims(token: string) {
    const claims = await tokens.verify(token, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'sid', 'epoch', 'exp'],
    })
    if (claims === false) return null
    const grant = readGrant(claims)
    return grant && { grant, expiresAt: (claims.exp ?? 0) * 1000 }
  }

  async function verifyAnew(token: string): Promise<Grant> {
    const claims = await readClaims(token)
    if (!claims) {
      throw new SnsError('unauthenticated', {
        detail: 'The access token is not valid or has expired; refresh it or log in',
      })
    }
    verified.set(token, claims)
    return claims.grant
  }

  return {
    sign({ userId, sessionId, epoch }: Grant): Promise<string> {
      return tokens.sign({
        sub: formatId(userId),
        sid: formatId(sessionId),
        epoch,
        exp: Math.floor(clock.now() / 1000) + ACCESS_TOKEN_SECONDS,
        jti: crypto.randomUUID(),
      })
    },

    /** What the token says, at once where it is remembered. Errors: `unauthenticated`. */
    verify(token: string): Grant | Promise<Grant> {
      const known = verified.get(token)
      if (known && known.expiresAt > clock.now()) return known.grant
      if (known) verified.delete(token)
      return verifyAnew(token)
    },
  }
}

function readGrant({ sub, sid, epoch }: Readonly<Record<string, unknown>>): Grant | null {
  const userId = typeof sub === 'string' ? parseId<'user'>(sub) : null
  const sessionId = typeof sid === 'string' ? parseId<'session'>(sid) : null
  if (userId === null || sessionId === null || typeof epoch !== 'number') return null
  return { userId, sessionId, epoch }
}
