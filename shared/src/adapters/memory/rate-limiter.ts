import { RateLimiterMemory } from 'rate-limiter-flexible'
import { rateLimitState } from '../../domain/rate-limit'
import type { RateLimiter } from '../../ports/rate-limiter'

/** Counts of this process. */
export function createMemoryRateLimiter(): RateLimiter {
  const limiters = new Map<string, RateLimiterMemory>()
  return {
    async take(limit, key) {
      let limiter = limiters.get(limit.name)
      if (!limiter) {
        const { quota: points, seconds: duration } = limit
        limiter = new RateLimiterMemory({ points, duration })
        limiters.set(limit.name, limiter)
      }
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key)
      return rateLimitState(limit, consumedPoints, msBeforeNext)
    },
  }
}
