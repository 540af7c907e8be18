import type { RateLimit, RateLimitState } from '../domain/rate-limit'

/**
 * Counts uses by key. Where the counts are kept with others, they are those of all processes; while that
 * store is away, each process counts for itself and goes on. Never fails.
 */
export interface RateLimiter {
  take(limit: RateLimit, key: string): Promise<RateLimitState>
}
