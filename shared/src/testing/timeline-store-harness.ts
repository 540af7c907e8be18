import type { UserId } from '../domain/id'
import type { TimelineLimits } from '../domain/timeline'
import type { TimelineStore } from '../ports/timeline-store'

export interface TimelineStoreHarness extends AsyncDisposable {
  readonly store: TimelineStore
  /** Lets at least this much time pass for the timeline of `user`. */
  elapse(user: UserId, ms: number): Promise<void>
}

export type CreateTimelineStoreHarness = (limits: TimelineLimits) => Promise<TimelineStoreHarness>
