import type { CommentId, PostId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { Author } from '../domain/user'

export const NOTIFICATION_KINDS = ['follow', 'like', 'comment', 'mention'] as const
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number]

/** Older ones are forgotten. */
export const NOTIFICATIONS_KEPT_MS = 90 * 24 * 3600 * 1000

/** What somebody is told of: somebody else followed them, liked or commented on their post, or named them. */
export interface NewNotification {
  readonly recipient: UserId
  readonly kind: NotificationKind
  readonly actor: UserId
  /** The comment, of a comment or of a mention in one; the post, of a like or of a mention in one; 0 of a follow. */
  readonly subject: CommentId | PostId | 0
  /** The post that it is about, or that is commented on; 0 of a follow. */
  readonly post: PostId | 0
  /** When it happened, in Unix milliseconds. */
  readonly at: number
  /** Its place in the list, in Unix milliseconds: when it was noticed. The same as `at`: long after, so it counts as read. */
  readonly noticedAt: number
}

/** The place of a notification in its recipient's list. */
export interface NotificationKey {
  readonly noticedAt: number
  readonly kind: number
  readonly actor: UserId
  readonly subject: number
}

/** Below 0 where `a` is older than `b`, in the order of the list. */
export function compareKeys(a: NotificationKey, b: NotificationKey): number {
  return a.noticedAt - b.noticedAt || a.kind - b.kind || a.actor - b.actor || a.subject - b.subject
}

export interface Notification {
  readonly key: NotificationKey
  readonly kind: NotificationKind
  readonly actor: Author
  readonly postId: PostId | null
  readonly commentId: CommentId | null
  /** Of the comment, or of the post. */
  readonly text: string | null
  readonly at: number
  readonly isRead: boolean
}

/**
 * Notifications: a table made from the change log. Reads leave out whatever is not so any more (an unfollow, a like taken back,
 * a deleted post or comment or account), and everybody blocked, in either direction, or muted: at once, whether
 * or not the consumer has come so far. Errors of every call: `store_unavailable`.
 */
export interface NotificationStore {
  /**
   * Idempotent: one that is there keeps its place. Gives the recipients, where any was new. Nobody is told of
   * what they did themselves, nor an account that is gone.
   */
  add(notifications: readonly NewNotification[]): Promise<readonly UserId[]>
  /** Removes those of `actor` about a subject, of `kinds`; of `recipient` alone if given. Idempotent. */
  remove(removed: readonly RemovedNotification[]): Promise<void>
  /** Newest first. */
  list(
    recipient: UserId,
    page: { readonly before: NotificationKey | null; readonly limit: number },
  ): Promise<Page<Notification, NotificationKey>>
  /** How many are not read, counted up to `limit`. */
  countUnread(recipient: UserId, limit: number): Promise<number>
  /** Everything up to `until` is read. Never goes back. False, and nothing marked, where `recipient` has none of that key. */
  markRead(recipient: UserId, until: NotificationKey): Promise<boolean>
  /** Forgets those noticed before `before` (Unix milliseconds). */
  prune(before: number): Promise<void>
}

export interface RemovedNotification {
  readonly kind: NotificationKind
  readonly actor: UserId
  readonly subject: number
  readonly recipient: UserId | null
}
