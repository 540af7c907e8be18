import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Page } from '@sns/shared/domain/page'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { fillPage } from '../http/fill-page'
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
    for (const [at, id] of ids.entries()) {
      const piece = found[at]
      if (!piece || hidden.has(piece.authorId)) continue
      shown.set(id, postOf(piece, likes.has(id) || oldLikes.has(id)))
    }
    return shown
  }
}

export interface PostList {
  readonly viewer: UserId
  readonly isHeard: boolean
  readonly before: PostId | null
  readonly limit: number
  /** The newest ids of the list below `before`. */
  readonly ids: (page: {
    readonly before: PostId | null
    readonly limit: number
  }) => Promise<readonly PostId[]>
  /** Whether a post is in the list as it is now; all are if absent. */
  readonly belongs?: (post: Post) => boolean
}

/** A page of those posts of a list that the viewer may see. */
export function fillPostPage(
  visiblePosts: VisiblePosts,
  { viewer, isHeard, before, limit, ids, belongs = () => true }: PostList,
): Promise<Page<Post, PostId>> {
  return fillPage<Post, PostId>(before, limit, async (before, limit) => {
    const read = await ids({ before, limit })
    const visible = await visiblePosts(viewer, read, isHeard)
    return {
      found: read.flatMap((id) => {
        const post = visible.get(id)
        return post && belongs(post) ? [{ key: id, item: post }] : []
      }),
      last: read.length < limit ? null : (read.at(-1) ?? null),
    }
  })
}
