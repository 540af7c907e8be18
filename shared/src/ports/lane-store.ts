import type { UserId } from '../domain/id'

/**
 * How an author's posts come into followers' feeds. `push`: fan-out writes them to followers' timelines.
 * `pull`: each read merges them from the author's own list. `both`: an author who is crossing.
 */
export type Lane = 'push' | 'both' | 'pull'

/** One attempt to move an author; a later one takes its place. */
export type Crossing = number & { readonly crossing: true }

/**
 * The lane of each author. Readers merge the posts of all authors in `both` and `pull`. So that no feed
 * misses a post, whoever moves an author goes step by step:
 *
 * - to `pull`: `begin`, announce it, then `finish`. Fan-out stops only when every reader merges.
 * - to `push`: `begin`, make the timelines of all followers stale, then `finish` and announce it. Readers
 *   stop merging only when no timeline from before is read any more.
 *
 * A crossing that was cut off leaves `both`, which is right, only dearer. Errors of every call:
 * `store_unavailable`.
 */
export interface LaneStore {
  /** The lanes of those of `authors` who are not in `push`. */
  lanesOf(authors: readonly UserId[]): Promise<ReadonlyMap<UserId, Lane>>
  /** All authors in `both` or `pull`. */
  mergedAuthors(): Promise<readonly UserId[]>
  /** Puts the author into `both`, from whatever lane. */
  begin(author: UserId): Promise<Crossing>
  /** False, and nothing changed, where another crossing began since. */
  finish(author: UserId, crossing: Crossing, lane: 'push' | 'pull'): Promise<boolean>
}
