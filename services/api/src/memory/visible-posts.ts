import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { type Post, presentPost } from '../modules/posts/schema'
import { type PostPieces, postOf } from './post-pieces'
import type { Viewers } from './viewers'

export interface VisiblePostsDeps {
  readonly posts: Pick<PostStore, 'visible' | 'liked'>
  readonly viewers: Pick<Viewers, 'feedView' | 'hiddenFrom'>
  readonly pieces: Pick<PostPieces, 'of'>
  readonly freshness: Pick<Freshness, 'belief'>
}

export type VisiblePosts = ReturnType<typeof createVisiblePosts>

/**
 * Those of the posts that the viewer may see, as they are now: of what is kept, while that is known to be current,
 * else from SQL. `isHeard`: a barrier of the same request was passed.
 */
export function createVisiblePosts({ posts, viewers, pieces, freshness }: VisiblePostsDeps) {
  async function fromSql(
    viewer: UserId,
    ids: readonly PostId[],
  ): Promise<ReadonlyMap<PostId, Post>> {
    const visible = await posts.visible(viewer, ids)
    return new Map(visible.map((post) => [post.body.id, presentPost(post)]))
  }

  return async (
    viewer: UserId,
    ids: readonly PostId[],
    isHeard: boolean,
  ): Promise<ReadonlyMap<PostId, Post>> => {
    if (ids.length === 0) return new Map()
    if (!isHeard || !freshness.belief()) return fromSql(viewer, ids)
    const [{ likes, likesFloor }, hidden, found] = await Promise.all([
      viewers.feedView(viewer),
      viewers.hiddenFrom(viewer),
      pieces.of(viewer, ids),
    ])
    const old = ids.filter((id) => id < likesFloor)
    const oldLikes = new Set(old.length === 0 ? [] : await posts.liked(viewer, old))
    const shown = new Map<PostId, Post>()
    for (const [id, piece] of found) {
      if (hidden.has(piece.authorId)) continue
      shown.set(id, postOf(piece, likes.has(id) || oldLikes.has(id)))
    }
    return shown
  }
}
