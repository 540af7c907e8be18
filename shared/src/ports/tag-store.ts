import type { PostId, UserId } from '../domain/id'

/** Which posts have which hashtags: a table made from the change log, so it trails the posts by about a second. */
export interface TagStore {
  /** Sets the tags (by `tagKeysIn`) of each post; none removes it. Idempotent. Errors: `store_unavailable`. */
  set(posts: readonly { readonly post: PostId; readonly tags: readonly string[] }[]): Promise<void>
  /**
   * Ids below `before`, newest first, at most `limit`; fewer only at the end. Without posts that a block hides from
   * `viewer`; the others may be gone or edited since.
   */
  postIds(
    tag: string,
    viewer: UserId,
    page: { readonly before: PostId | null; readonly limit: number },
  ): Promise<readonly PostId[]>
}
