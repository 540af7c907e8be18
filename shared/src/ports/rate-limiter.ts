import type { RateLimit, RateLimitState } from '../domain/rate-limit'

/**
 * Counts uses by key. A shared limiter counts for all processes; while its store is unavailable,
 * each process counts for itself. Never fails.
 */
export interface RateLimiter {
  take(limit: RateLimit, key: string): Promise<RateLimitState>
}
