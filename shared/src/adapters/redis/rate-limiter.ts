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
  const limiters = new Map<string, RateLimiterRedis>()

  return {
    async take(limit, key) {
      const { name, quota: points, seconds: duration } = limit
      const limiterOn = (storeClient: Redis) => {
        const known = limiters.get(name)
        if (known) return known
        const keyPrefix = `${prefix}:limit:${name}`
        const made = new RateLimiterRedis({ storeClient, points, duration, keyPrefix })
        limiters.set(name, made)
        return made
      }
      try {
        const used = await client.run((redis) => limiterOn(redis).penalty(key))
        return rateLimitState(limit, used.consumedPoints, used.msBeforeNext)
      } catch {
        // The client has counted and told the failure.
        return alone.take(limit, key)
      }
    },
  }
}
