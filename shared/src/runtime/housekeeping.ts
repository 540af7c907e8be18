import { sleep } from '../async/sleep'
import type { Clock } from '../domain/clock'
import type { Logger } from '../observability/logger'
import type { PostStore } from '../ports/post-store'
import type { SessionStore } from '../ports/session-store'
import type { Job } from './job'

/** How long a repeated request with the same Idempotency-Key is recognised. */
const IDEMPOTENCY_KEY_TTL_MS = 24 * 3600 * 1000

export interface HousekeepingDeps {
  readonly sessions: Pick<SessionStore, 'prune'>
  readonly posts: Pick<PostStore, 'pruneIdempotencyKeys'>
  readonly clock: Clock
  readonly logger: Logger
}

export interface HousekeepingOptions {
  readonly everyMs?: number
  readonly random?: () => number
}

/**
 * Forgets expired refresh tokens and old idempotency keys, hourly. Each round waits anew between half
 * and one and a half of the interval, so that replicas started together do not sweep together. A
 * round that fails is logged and left to the next.
 */
export function createHousekeeping(
  { sessions, posts, clock, logger }: HousekeepingDeps,
  { everyMs = 3600 * 1000, random = Math.random }: HousekeepingOptions = {},
): Job {
  return {
    name: 'housekeeping',
    async run(signal) {
      for (;;) {
        await sleep(everyMs * (0.5 + random()), signal)
        if (signal.aborted) return
        try {
          await sessions.prune(clock.now())
          await posts.pruneIdempotencyKeys(clock.now() - IDEMPOTENCY_KEY_TTL_MS)
        } catch (error) {
          logger.warn({ err: error }, 'housekeeping failed; the next round tries again')
        }
      }
    },
  }
}
