import type { CommentId, PostId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { Author } from '../domain/user'

export const NOTIFICATION_KINDS = ['follow', 'like', 'comment', 'mention'] as const
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number]

const DAY_MS = 24 * 3600 * 1000
/** Older ones are forgotten. */
export const NOTIFICATIONS_KEPT_MS = 90 * DAY_MS
/** The same thing by the same person, taken back and done again, is news again after so long. */
export const NEWS_AGAIN_MS = DAY_MS

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
  /** Noticed so long after that it stands in its place of then, counts as read and notifies nobody. */
  readonly isLate: boolean
}

/** The place of a notification in its recipient's list. */
export interface NotificationKey {
  /** Unix milliseconds: when it was noticed, or a little later; of a late one, when it happened. */
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
   * Gives each a place above all that its recipient was ever given: places grow in the order of commits, so
   * nothing that comes later is below what was seen or read before. Idempotent: one that is there keeps its place; one
   * that was withdrawn comes back to it, and takes a new one only where it happened `NEWS_AGAIN_MS` or more after the
   * one that stands there. Nobody is notified of what they did themselves, nor an account that is gone. Gives the
   * recipients who have news. The number of statements does not depend on how many are added, up to a thousand.
   */
  add(notifications: readonly NewNotification[]): Promise<readonly UserId[]>
  /**
   * Withdraws those of `actor` about a subject; of `recipient` alone if given. They are shown no more, and are
   * remembered until they are pruned. Idempotent; statements as in `add`.
   */
  withdraw(withdrawn: readonly WithdrawnNotification[]): Promise<void>
  /** Newest first; those above `after` alone where it is given, and what is not costs nothing. */
  list(
    recipient: UserId,
    page: {
      readonly before: NotificationKey | null
      readonly after?: NotificationKey
      readonly limit: number
    },
  ): Promise<Page<Notification, NotificationKey>>
  /** How many are not read, counted up to `limit`. What was read costs nothing. */
  countUnread(recipient: UserId, limit: number): Promise<number>
  /** Everything up to `until` is read. Never goes back. False, and nothing marked, where `recipient` was never given that place. */
  markRead(recipient: UserId, until: NotificationKey): Promise<boolean>
  /** Forgets those noticed before `before` (Unix milliseconds). */
  prune(before: number): Promise<void>
}

export interface WithdrawnNotification {
  readonly kind: NotificationKind
  readonly actor: UserId
  readonly subject: number
  readonly recipient: UserId | null
}
