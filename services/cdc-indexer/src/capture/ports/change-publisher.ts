import type { EncodedChange } from '@sns/shared/events/change-record'
import type { WrittenTopics } from '@sns/shared/events/written-topics'

/**
 * Appends changes to the log that `ChangeLog` reads. One call's changes are appended in order per key,
 * each delete followed by a tombstone, all of them or, to those who read what is committed, none.
 * Resolves only when all are committed on all in-sync replicas; on an error they may be there or not, and the
 * caller publishes them again.
 *
 * Of all publishers of a database the log accepts the one that opened it last: from then on what any other
 * sent before, and arrives later, is refused. A publisher opens the log at its first call and after each
 * failure, and asks `mayPublish` once it has: false, and nothing is sent. So one whose caller is no
 * longer the one capture can at worst make the right one open the log again.
 *
 * Errors: `store_unavailable`, also where it may not publish; `OperatorError` for a
 * change that is larger than a record may be, and where a topic has another number of partitions than was noted: a
 * key's next change would go into another one, and nothing is sent.
 */
export interface ChangePublisher {
  /**
   * Publishes to these topics from now on, and to the first ones where none are noted. Answers what is to be noted.
   */
  use(noted: WrittenTopics | null): Promise<WrittenTopics>
  publish(changes: readonly EncodedChange[], mayPublish?: () => Promise<boolean>): Promise<void>
  /** The transactions of the last changes that the log holds, some hundred of each of its partitions. */
  tail(): Promise<readonly PublishedTransaction[]>
}

/** A transaction of which changes were published. */
export interface PublishedTransaction {
  readonly gtid: string
  readonly sequence: number
}
