import { rateLimiterConformance } from '../../testing/rate-limiter-conformance'
import { createMemoryRateLimiter } from './rate-limiter'

rateLimiterConformance(async () => {
  const one = createMemoryRateLimiter()
  return { one, other: one, [Symbol.asyncDispose]: async () => {} }
})
