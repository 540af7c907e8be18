import type { PostId, UserId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { ViewedPosts } from '../posts/viewed-posts'

export interface HydrateDeps {
  readonly posts: Pick<PostStore, 'inFeed'>
  readonly viewedPosts: ViewedPosts
}

/** What there is to know about the posts of a skeleton: only of those in the viewer's truth just now. */
export function createHydrate({ posts, viewedPosts }: HydrateDeps) {
  return (viewer: UserId, ids: readonly PostId[]): Promise<ReadonlyMap<PostId, ViewedPost>> =>
    viewedPosts.of(ids, (wanted) => posts.inFeed(viewer, wanted))
}
