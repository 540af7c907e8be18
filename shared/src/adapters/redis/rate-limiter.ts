import type { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { rateLimitState } from '../../domain/rate-limit'
import type { RateLimiter } from '../../ports/rate-limiter'
import type { RedisClient } from './client'

export interface RedisRateLimiterDeps {
  readonly client: RedisClient
  /** Counts while Redis is away. */
  readonly alone: RateLimiter
}

export interface RedisRateLimiterOptions {
  readonly prefix: string
}

/** Counts of all processes, as counters that expire: `<prefix>:limit:<name>:<key>`. */
export function createRedisRateLimiter(
  { client, alone }: RedisRateLimiterDeps,
  { prefix }: RedisRateLimiterOptions,
): RateLimiter {
  const limiters = new WeakMap<Redis, Map<string, RateLimiterRedis>>()

  return {
    async take(limit, key) {
      const { name, quota: points, seconds: duration } = limit
      const keyPrefix = `${prefix}:limit:${name}`
      const limiterOn = (storeClient: Redis) => {
        const here = limiters.get(storeClient) ?? new Map<string, RateLimiterRedis>()
        limiters.set(storeClient, here)
        const known = here.get(name)
        if (known) return known
        const made = new RateLimiterRedis({ storeClient, points, duration, keyPrefix })
        here.set(name, made)
        return made
      }
      try {
        const used = await client.run(
          (redis) => limiterOn(redis).penalty(key),
          `${keyPrefix}:${key}`,
        )
        return rateLimitState(limit, used.consumedPoints, used.msBeforeNext)
      } catch {
        // The client has counted and told the failure.
        return alone.take(limit, key)
      }
    },
  }
}
