import { firstIdAt, type PostId, type UserId } from '../domain/id'

/** A post that fan-out may not have delivered yet. */
export interface WaitingPost {
  readonly id: PostId
  readonly author: UserId
}

/**
 * How far fan-out has come, kept in the database: it is what workers and apis have in common while Kafka, capture or a
 * worker is down. Times are those of commits, in Unix milliseconds. Errors of every call: `store_unavailable`.
 */
export interface DeliveryProgress {
  /**
   * Every change committed before this time is in the change log. Null: not known, as capture has never run here. Read it
   * before the end of the log.
   */
  captured(): Promise<number | null>
  /** Every post committed before this time is in the timelines that it belongs to. */
  delivered(): Promise<number>
  /** An earlier time than the recorded one changes nothing. */
  record(deliveredAt: number): Promise<void>
  /** The oldest post from `floor` on. */
  oldestFrom(floor: PostId): Promise<PostId | null>
  /** The newest posts from `floor` on, newest first, at most `limit`. */
  newestFrom(floor: PostId, limit: number): Promise<readonly WaitingPost[]>
}

/**
 * An id is made before its commit. This is longer than any transaction of a post takes (MySQL gives up a wait for a lock
 * after 50 seconds) and than clocks of servers differ.
 */
const COMMIT_MARGIN_MS = 60_000

/** The lowest id that a post committed since `deliveredAt` can have. */
export function waitingFloor(deliveredAt: number): PostId {
  return firstIdAt(deliveredAt - COMMIT_MARGIN_MS) as PostId
}
