import { createHash } from 'node:crypto'
import type { UserId } from '@sns/shared/domain/id'
import type { RateLimit } from '@sns/shared/domain/rate-limit'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { RateLimiter } from '@sns/shared/ports/rate-limiter'
import type { RequestContext } from './request-context'

export interface RateLimitSettings {
  readonly isOn: boolean
  /** By address and attempted username: nobody can use up another person's attempts. */
  readonly logIn: RateLimit
  /** By address: every request that starts, goes on with or ends a session. */
  readonly signIn: RateLimit
  readonly signUp: RateLimit
  /** By account: requests that ask for the password again. */
  readonly password: RateLimit
  readonly write: RateLimit
  readonly writeByAddress: RateLimit
  readonly read: RateLimit
  readonly readByAddress: RateLimit
}

export interface RateLimitsDeps {
  /** Counts shared by all processes. */
  readonly shared: RateLimiter
  /** Counts of this process alone: for reads, which may not cost another round trip. */
  readonly local: RateLimiter
}

/** What a check needs: where the request came from, and the headers of its response. */
export interface Limited {
  readonly context: RequestContext
  readonly headers: Record<string, string | number>
}

export type RateLimits = ReturnType<typeof createRateLimits>

/**
 * Refuses requests over a limit with `too_many_requests`, and reports the remaining quota in the
 * fields of draft-ietf-httpapi-ratelimit-headers, one item for each limit that applies.
 */
export function createRateLimits({ shared, local }: RateLimitsDeps, limits: RateLimitSettings) {
  async function take(limiter: RateLimiter, limit: RateLimit, key: string, { headers }: Limited) {
    const { isExceeded, remaining, resetSeconds } = await limiter.take(limit, key)
    const { name, quota, seconds } = limit
    append(headers, 'ratelimit-policy', `"${name}";q=${quota};w=${seconds}`)
    append(headers, 'ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`)
    if (!isExceeded) return
    throw new SnsError('too_many_requests', {
      detail: `At most ${quota} in ${seconds} seconds (${name})`,
      retryAfterSeconds: resetSeconds,
    })
  }

  return {
    isOn: limits.isOn,

    /** Called before the request's body is read and before it looks anything up; counts it once. */
    async address(kind: 'read' | 'write', limited: Limited): Promise<void> {
      const { context } = limited
      if (!limits.isOn || context.isCounted) return
      context.isCounted = true
      const key = context.countedAs
      await (kind === 'read'
        ? take(local, limits.readByAddress, key, limited)
        : take(shared, limits.writeByAddress, key, limited))
    },

    /**
     * Called where the session is known to be open: a token that was revoked spends nothing of its owner's, its
     * requests are counted by address alone.
     */
    async account(kind: 'read' | 'write', user: UserId, limited: Limited): Promise<void> {
      if (!limits.isOn) return
      await (kind === 'read'
        ? take(local, limits.read, String(user), limited)
        : take(shared, limits.write, String(user), limited))
    },

    /** Called before the body is read. */
    async signIn(limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.signIn, limited.context.countedAs, limited)
    },

    /** Called before the password is checked. */
    async logIn(username: string, limited: Limited): Promise<void> {
      if (!limits.isOn) return
      const key = `${limited.context.countedAs} ${digest(username.toLowerCase())}`
      await take(shared, limits.logIn, key, limited)
    },

    /** Called before the body is read. */
    async signUp(limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.signUp, limited.context.countedAs, limited)
    },

    /** Called before a password is checked again. */
    async password(user: UserId, limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.password, String(user), limited)
    },
  }
}

/** What is typed as a username may be long, or a password: it is no key. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function append(headers: Limited['headers'], name: string, item: string): void {
  const before = headers[name]
  headers[name] = before === undefined ? item : `${before}, ${item}`
}
