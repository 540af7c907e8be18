import type { UserId } from '@sns/shared/domain/id'
import type { RateLimit } from '@sns/shared/domain/rate-limit'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { RateLimiter } from '@sns/shared/ports/rate-limiter'
import type { RequestContext } from './request-context'

export interface RateLimitSettings {
  readonly isOn: boolean
  /** By address and attempted username: nobody can use up another person's attempts. */
  readonly logIn: RateLimit
  /** By address: every request that needs no account. */
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

    /** Called before the request looks anything up. */
    async address(kind: 'read' | 'write', limited: Limited): Promise<void> {
      const key = limited.context.countedAs
      await (kind === 'read'
        ? take(local, limits.readByAddress, key, limited)
        : take(shared, limits.writeByAddress, key, limited))
    },

    async account(kind: 'read' | 'write', user: UserId, limited: Limited): Promise<void> {
      await (kind === 'read'
        ? take(local, limits.read, String(user), limited)
        : take(shared, limits.write, String(user), limited))
    },

    async logIn(username: string, limited: Limited): Promise<void> {
      if (!limits.isOn) return
      const key = limited.context.countedAs
      await take(shared, limits.signIn, key, limited)
      await take(shared, limits.logIn, `${key} ${username.toLowerCase()}`, limited)
    },

    async refresh(limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.signIn, limited.context.countedAs, limited)
    },

    async signUp(limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.signUp, limited.context.countedAs, limited)
    },

    /** Called before a password is checked again. */
    async password(user: UserId, limited: Limited): Promise<void> {
      if (limits.isOn) await take(shared, limits.password, String(user), limited)
    },
  }
}

function append(headers: Limited['headers'], name: string, item: string): void {
  const before = headers[name]
  headers[name] = before === undefined ? item : `${before}, ${item}`
}
