import type { PostId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { PostBody, PublishedPost, ViewedPost } from '../domain/post'

export interface NewPost {
  readonly id: PostId
  readonly authorId: UserId
  readonly text: string
  /** Makes a repeated request return the first one's post. */
  readonly idempotencyKey: string | null
}

export interface IdPage {
  /** Only ids below this one; null starts at the newest. */
  readonly before: PostId | null
  readonly limit: number
}

/**
 * Posts and the truth about feeds.
 *
 * `truth(u)` is all live posts by `u` or someone `u` follows now, without those of blocked (either
 * way) or muted people, newest (highest id) first. `feedIds` and `feedAuthors` are built from the same
 * predicate, so that a feed from SQL and a feed from memory cannot drift apart.
 *
 * Errors: `not_found` (unknown, deleted or hidden by a block; of `create`: the key's post was deleted),
 * `forbidden` (not the author), `idempotency_key_reused` (same key, other text), `unauthenticated` (the
 * author's account is gone), `store_unavailable`.
 */
export interface PostStore {
  /**
   * Writes the post and its idempotency key in one transaction. Takes the next id itself where the
   * given one is taken. `created` is false where the key was seen before with the same text.
   */
  create(post: NewPost): Promise<{ readonly body: PostBody; readonly created: boolean }>
  edit(id: PostId, author: UserId, text: string): Promise<PostBody>
  /**
   * Takes the post away at once: nothing of it is shown any more. Its likes and comments go with it, where they are
   * more than a few hundred by `finishDeletions`.
   */
  delete(id: PostId, author: UserId): Promise<void>
  /** Deletes, in transactions of bounded size, the likes and comments of deleted posts, until all are gone or the signal aborts. */
  finishDeletions(signal: AbortSignal): Promise<void>
  find(id: PostId, viewer: UserId): Promise<ViewedPost>
  /** Posts of one author as `viewer` sees them, newest first; mutes do not hide them here. */
  byAuthor(author: UserId, viewer: UserId, page: IdPage): Promise<Page<ViewedPost, PostId>>
  /** The newest ids of an author's posts, newest first, at most `limit`; fewer only where there are no more. */
  newestIds(author: UserId, limit: number): Promise<readonly PostId[]>
  /** The ids of `truth(viewer)` below `before`, newest first, at most `limit`; fewer only at the end. */
  feedIds(viewer: UserId, page: IdPage): Promise<readonly PostId[]>
  /** Those of `ids` that are live and not hidden from `viewer` by a block; follows play no part. */
  visible(viewer: UserId, ids: readonly PostId[]): Promise<readonly ViewedPost[]>
  /** Those of `ids` that are live, whoever may see them. */
  published(ids: readonly PostId[]): Promise<readonly PublishedPost[]>
  /** Those whose posts `truth(viewer)` is made of, by the same predicate: the viewer too, while there. */
  feedAuthors(viewer: UserId): Promise<readonly UserId[]>
  /** The posts that `viewer` likes, newest post (highest id) first, at most `limit`; fewer only at the end. */
  likedIds(viewer: UserId, page: IdPage): Promise<readonly PostId[]>
  /** The same without posts that a block hides from the viewer. */
  visibleLikedIds(viewer: UserId, page: IdPage): Promise<readonly PostId[]>
  /** Those of `ids` that `viewer` likes. */
  liked(viewer: UserId, ids: readonly PostId[]): Promise<readonly PostId[]>
  /** Forgets idempotency keys older than `before` (Unix milliseconds). */
  pruneIdempotencyKeys(before: number): Promise<void>
}
