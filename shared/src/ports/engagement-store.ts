import type { CommentId, PostId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { Comment } from '../domain/post'
import type { User } from '../domain/user'
import type { RelationshipKey, RelationshipPage } from './graph-store'

export interface NewComment {
  readonly id: CommentId
  readonly postId: PostId
  readonly authorId: UserId
  readonly text: string
  /** Makes a repeated request return the first one's comment. */
  readonly idempotencyKey: string | null
}

/**
 * Likes and comments. The counts of a post change in the same transaction as the row they count.
 *
 * Errors: `not_found` (post or comment unknown, or hidden by a block; of `comment`: the key's comment was deleted), `forbidden` (not the comment's
 * author), `idempotency_key_reused` (same key, other post or text), `unauthenticated` (the account that likes or comments is gone), `store_unavailable`.
 */
export interface EngagementStore {
  /** Idempotent. */
  like(userId: UserId, postId: PostId): Promise<void>
  /** Idempotent. A like that is there is taken back across a block too. */
  unlike(userId: UserId, postId: PostId): Promise<void>
  /**
   * Writes the comment and its idempotency key in one transaction. `created` is false where the key was seen before with
   * the same post and text.
   */
  comment(comment: NewComment): Promise<{ readonly comment: Comment; readonly created: boolean }>
  /** Gives the post that it was about. Its author may delete it across a block too. */
  deleteComment(id: CommentId, author: UserId): Promise<PostId>
  /** Who likes the post, latest like first; without people hidden from `viewer`. */
  likers(
    postId: PostId,
    viewer: UserId,
    page: RelationshipPage,
  ): Promise<Page<User, RelationshipKey>>
  /** Oldest first; without those of people hidden from `viewer`. */
  comments(
    postId: PostId,
    viewer: UserId,
    page: { readonly after: CommentId | null; readonly limit: number },
  ): Promise<Page<Comment, CommentId>>
}
