import type { Clock } from '../domain/clock'
import type { ChangeLog } from '../ports/change-log'
import type { HealthCheck } from '../ports/health'

/** Failing for longer than this is more than a restart or a failover. */
const STUCK_MS = 60_000
/** Longer than any pause between two attempts, the attempt included. */
const REPORT_HOLDS_MS = 60_000

export interface WatchedChangeLog {
  readonly changeLog: ChangeLog
  /**
   * Away while the consumer has no place in its group, as what is written then waits, and while
   * some changes have failed for more than a minute, whatever else gets through.
   */
  readonly health: HealthCheck
}

/** The log, watched for a consumer that stands before changes which fail again and again. */
export function watchChangeLog(name: string, changeLog: ChangeLog, clock: Clock): WatchedChangeLog {
  let stuckAt = Number.NEGATIVE_INFINITY
  let failure: unknown = null
  let isMember = false
  return {
    changeLog: {
      backlog: (group, tables) => changeLog.backlog(group, tables),
      consume: (options) =>
        changeLog.consume({
          ...options,
          onMembership(is) {
            isMember = is
            options.onMembership?.(is)
          },
          onRetry(error, attempt, failingMs) {
            if (failingMs > STUCK_MS) {
              stuckAt = clock.now()
              failure = error
            }
            options.onRetry?.(error, attempt, failingMs)
          },
        }),
    },
    health: {
      name,
      async check() {
        if (!isMember) throw new Error('the consumer has no place in its group yet')
        if (clock.now() - stuckAt <= REPORT_HOLDS_MS) throw failure
      },
    },
  }
}
