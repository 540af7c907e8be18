import { repeatEvery, sleep } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import type { Logger } from '@sns/shared/observability/logger'
import { NOTIFICATIONS_KEPT_MS, type NotificationStore } from '@sns/shared/ports/notification-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { SessionStore } from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'

/** How long a repeated request with the same Idempotency-Key is recognised. */
const IDEMPOTENCY_KEY_TTL_MS = 24 * 3600 * 1000

export interface HousekeepingDeps {
  readonly sessions: Pick<SessionStore, 'prune'>
  readonly users: Pick<UserStore, 'pruneUsernames'>
  readonly posts: Pick<PostStore, 'pruneIdempotencyKeys'>
  readonly notifications: Pick<NotificationStore, 'prune'>
  readonly clock: Clock
  readonly logger: Logger
}

export interface HousekeepingOptions {
  readonly everyMs?: number
  readonly random?: () => number
}

/**
 * Deletes expired sessions, usernames whose rest is over, old idempotency keys and old notifications, every hour. Each
 * round waits a random time between half and one and a half of the interval, so that replicas
 * started together do not run together. A round that fails is logged; the next one tries again.
 */
export function createHousekeeping(
  { sessions, users, posts, notifications, clock, logger }: HousekeepingDeps,
  { everyMs = 3600 * 1000, random = Math.random }: HousekeepingOptions = {},
) {
  return {
    name: 'housekeeping',
    async run(signal: AbortSignal): Promise<void> {
      for (;;) {
        await sleep(everyMs * (0.5 + random()), signal)
        if (signal.aborted) return
        try {
          await sessions.prune(clock.now())
          await users.pruneUsernames(clock.now())
          await posts.pruneIdempotencyKeys(clock.now() - IDEMPOTENCY_KEY_TTL_MS)
          await notifications.prune(clock.now() - NOTIFICATIONS_KEPT_MS)
        } catch (error) {
          logger.warn({ err: error }, 'housekeeping failed; the next round tries again')
        }
      }
    },
  }
}

export interface DeletionsDeps {
  readonly users: Pick<UserStore, 'finishDeletions'>
  readonly posts: Pick<PostStore, 'finishDeletions'>
  readonly logger: Logger
}

/**
 * Deletes the remaining rows of deleted accounts and posts, every few seconds: of those that have many, and of deletions
 * that a crash interrupted.
 */
export function createDeletions(
  { users, posts, logger }: DeletionsDeps,
  { everyMs = 10_000 }: { readonly everyMs?: number } = {},
) {
  return {
    name: 'deletions',
    run: (signal: AbortSignal): Promise<void> =>
      repeatEvery(
        async () => {
          await posts.finishDeletions(signal)
          await users.finishDeletions(signal)
        },
        {
          intervalMs: everyMs,
          signal,
          onError: (err) =>
            logger.warn({ err }, 'deletions were interrupted; they continue in the next round'),
        },
      ),
  }
}
