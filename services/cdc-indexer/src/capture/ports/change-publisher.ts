import type { ChangeEnvelope } from '@sns/shared/events/change-event'

/**
 * Appends changes to the log that `ChangeLog` reads. One call's events are appended in order per key,
 * each delete followed by a tombstone. Resolves only when all are acknowledged by all in-sync
 * replicas; on an error any part may have been appended, and the caller publishes the whole again.
 *
 * `mayGoOn` is asked right before each request to the log. Once it returns false, nothing more is sent
 * and the call fails.
 *
 * Errors: `store_unavailable` after bounded retries or where it may not go on; `OperatorError` for a
 * change that is larger than a record may be.
 */
export interface ChangePublisher {
  publish(events: readonly ChangeEnvelope[], mayGoOn?: () => boolean): Promise<void>
}
