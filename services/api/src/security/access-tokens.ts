import type { Clock } from '@sns/shared/domain/clock'
import { formatId, parseId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { SnsError } from '@sns/shared/errors/sns-error'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
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
  const key = new TextEncoder().encode(secretKey)
  const verified = new LRUCache<string, { readonly grant: Grant; readonly expiresAt: number }>({
    max: remembered,
  })

  async function verifySignature(token: string) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(clock.now()),
        requiredClaims: ['sub', 'sid', 'epoch', 'exp'],
      })
      const grant = readGrant(payload)
      return grant && { grant, expiresAt: (payload.exp ?? 0) * 1000 }
    } catch {
      return null
    }
  }

  async function verifyAnew(token: string): Promise<Grant> {
    const claims = await verifySignature(token)
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
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT({ sid: formatId(sessionId), epoch })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setSubject(formatId(userId))
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(now + ACCESS_TOKEN_SECONDS)
        .setJti(crypto.randomUUID())
        .sign(key)
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

function readGrant({ sub, sid, epoch }: JWTPayload): Grant | null {
  const userId = parseId<'user'>(sub ?? '')
  const sessionId = typeof sid === 'string' ? parseId<'session'>(sid) : null
  if (userId === null || sessionId === null || typeof epoch !== 'number') return null
  return { userId, sessionId, epoch }
}
