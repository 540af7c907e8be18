import type { PostId, UserId } from '../domain/id'

/** Something that pages are made of and that a write altered. */
export type Change =
  /** What a post says, or whether it is there. */
  | { readonly kind: 'post'; readonly post: PostId }
  /** There is a post of this id: told by whoever wrote it. */
  | { readonly kind: 'created'; readonly post: PostId; readonly author: UserId }
  /** The likes and comments of a post; `by` is who liked or commented. */
  | { readonly kind: 'engagement'; readonly post: PostId; readonly by: UserId }
  /** Which posts an author has: there is a new one. */
  | { readonly kind: 'posts'; readonly author: UserId }
  /** Which authors' posts are merged into feeds; see `LaneStore`. */
  | { readonly kind: 'lanes' }
  /** The name of somebody who writes. */
  | { readonly kind: 'author'; readonly user: UserId }
  /** What a viewer may see and how: the account, its sessions, follows, mutes and blocks. */
  | { readonly kind: 'viewer'; readonly user: UserId }
  /** Which posts somebody likes. */
  | { readonly kind: 'reactions'; readonly user: UserId }

/** Something that somebody may be waiting for. Nothing is kept of it. */
export type Hint =
  /** New posts of an author are in the feeds of all followers. */
  | { readonly kind: 'delivered'; readonly author: UserId }
  /** Somebody has new notifications. */
  | { readonly kind: 'notified'; readonly user: UserId }

/**
 * What a process may keep of the database from a moment on, as long as it forgets what it hears of.
 * Compared by identity: what was kept under another belief, or under none, is not to be used.
 */
export interface Belief {
  readonly belief: true
}

export interface ChangeAnnouncer {
  /**
   * Call after the commit and before the answer. When it resolves, each process that keeps something
   * of what changed hears of it before its next `barrier` resolves, or has stopped believing. May be
   * repeated. Errors: `store_unavailable`: nobody can say who was told; the write must not be answered
   * as done.
   */
  announce(changes: readonly Change[]): Promise<void>
  /** Tells every process that can be reached. It may be lost and may come twice, and never fails. */
  hint(hints: readonly Hint[]): Promise<void>
}

/**
 * Knowing that what this process keeps is what the database holds, without asking it.
 *
 * A reader waits for a barrier, then asks for the belief, and uses what it keeps only if that was kept
 * under this very belief. What it does not keep it loads after the barrier, and keeps it only if no
 * change of it was heard from the start of the load to its end. So a read that begins after a write
 * was answered sees the write, whoever wrote and wherever it is read.
 *
 * Listeners are called in the order in which changes were announced to this process, without a turn of
 * the event loop between a change and whatever its barrier lets go on.
 */
export interface Freshness extends ChangeAnnouncer {
  /**
   * Resolves when every change announced before the call was heard. Reading a timeline of the same
   * backend is a barrier too. Errors: `store_unavailable`.
   */
  barrier(): Promise<void>
  /**
   * Null where nothing may be believed, and pages come from SQL. Ask after the barrier. A timeline may be
   * used only where the belief was the same before it was read and when it arrived.
   */
  belief(): Belief | null
  /** A change may be told more than once. */
  onChange(listener: (change: Change) => void): void
  onHint(listener: (hint: Hint) => void): void
}
