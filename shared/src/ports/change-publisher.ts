import type { ChangeEvent } from '../contract/change-event'

/**
 * Appends changes to the log that `ChangeLog` reads. One call's events are appended in order per key,
 * each delete followed by a tombstone. Resolves only when all are acknowledged by all in-sync
 * replicas; on an error any part may have been appended, and the caller publishes the whole again.
 *
 * Errors: `store_unavailable` after bounded retries; `OperatorError` for a change that no record can hold.
 */
export interface ChangePublisher {
  publish(events: readonly ChangeEvent[]): Promise<void>
}
