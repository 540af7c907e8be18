import type { Clock } from '@sns/shared/domain/clock'
import { formatId, parseId, type UserId } from '@sns/shared/domain/id'
import { SnsError } from '@sns/shared/errors/sns-error'
import { jwtVerify, SignJWT } from 'jose'

export const ACCESS_TOKEN_SECONDS = 15 * 60

const ALGORITHM = 'HS256'
const ISSUER = 'sns'
const AUDIENCE = 'sns-api'
/** Tokens remembered as verified; past it the oldest are verified again. */
const REMEMBERED_MAX = 50_000

export type AccessTokens = ReturnType<typeof createAccessTokens>

/**
 * Signs and checks access tokens. A token is verified once and remembered until it expires, since
 * verifying costs more than everything else an empty request does. Whether the account still exists is
 * not the token's business.
 */
export function createAccessTokens({ clock, secretKey }: { clock: Clock; secretKey: string }) {
  const key = new TextEncoder().encode(secretKey)
  const verified = new Map<string, { readonly userId: UserId; readonly expiresAt: number }>()

  async function verifySignature(token: string) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(clock.now()),
        requiredClaims: ['sub', 'exp'],
      })
      const userId = parseId<'user'>(payload.sub ?? '')
      return userId === null ? null : { userId, expiresAt: (payload.exp ?? 0) * 1000 }
    } catch {
      return null
    }
  }

  return {
    sign(userId: UserId): Promise<string> {
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setSubject(formatId(userId))
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(now + ACCESS_TOKEN_SECONDS)
        .setJti(crypto.randomUUID())
        .sign(key)
    },

    /** Whose token it is. Errors: `unauthenticated`. */
    async verify(token: string): Promise<UserId> {
      const known = verified.get(token)
      if (known && known.expiresAt > clock.now()) return known.userId
      if (known) verified.delete(token)
      const claims = await verifySignature(token)
      if (!claims) {
        throw new SnsError('unauthenticated', {
          detail: 'The access token is not valid or has expired; refresh it or log in',
        })
      }
      if (verified.size >= REMEMBERED_MAX) {
        const oldest = verified.keys().next().value
        if (oldest !== undefined) verified.delete(oldest)
      }
      verified.set(token, claims)
      return claims.userId
    },
  }
}
