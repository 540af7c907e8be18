import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { EncodedPage } from '../http/body'
import { type CursorList, readIdCursor, writeIdCursor } from '../http/cursors'
import { fillPage } from '../http/fill-page'
import type { Post } from '../modules/posts/schema'
import { joinPage, type ShownPost } from './page-bytes'
import { type PostPieces, postOf, toPiece } from './post-pieces'
import type { Reactions } from './reactions'
import type { Relations } from './relations'
import type { Viewer } from './versioned-cache'

export interface VisiblePostsDeps {
  readonly posts: Pick<PostStore, 'visible'>
  readonly relations: Pick<Relations, 'hiddenFrom'>
  readonly reactions: Pick<Reactions, 'among'>
  readonly pieces: Pick<PostPieces, 'of'>
  readonly freshness: Pick<Freshness, 'belief'>
}

export type VisiblePosts = ReturnType<typeof createVisiblePosts>

/** Those of the posts that SQL shows to the viewer. */
export async function shownBySql(
  posts: Pick<PostStore, 'visible'>,
  viewer: UserId,
  ids: readonly PostId[],
): Promise<ReadonlyMap<PostId, ShownPost>> {
  const visible = await posts.visible(viewer, ids)
  return new Map(
    visible.map((post) => {
      const { id } = post.body
      return [id, { id, piece: toPiece(post), liked: post.liked }]
    }),
  )
}

/**
 * Those of the posts that the viewer may see, as they are now: of what is kept, while that is known to be current,
 * else from SQL. `isHeard`: a barrier of the same request was passed.
 */
export function createVisiblePosts({
  posts,
  relations,
  reactions,
  pieces,
  freshness,
}: VisiblePostsDeps) {
  return async (
    viewer: Viewer,
    ids: readonly PostId[],
    isHeard: boolean,
  ): Promise<ReadonlyMap<PostId, ShownPost>> => {
    if (ids.length === 0) return new Map()
    if (!isHeard || !freshness.belief()) return shownBySql(posts, viewer.id, ids)
    const [liked, hidden, found] = await Promise.all([
      reactions.among(viewer.id, ids),
      relations.hiddenFrom(viewer),
      pieces.of(viewer.id, ids),
    ])
    const shown = new Map<PostId, ShownPost>()
    for (const [at, id] of ids.entries()) {
      const piece = found[at]
      if (!piece || hidden.has(piece.authorId)) continue
      shown.set(id, { id, piece, liked: liked.has(id) })
    }
    return shown
  }
}

export interface PostList {
  readonly viewer: Viewer
  readonly isHeard: boolean
  /** What the list's cursors name, and where the page begins. */
  readonly list: CursorList
  readonly cursor: string | undefined
  readonly limit: number
  /** The newest ids of the list below `before`. */
  readonly ids: (page: {
    readonly before: PostId | null
    readonly limit: number
  }) => Promise<readonly PostId[]>
  /** Whether a post is in the list as it is now; all are if absent. */
  readonly belongs?: (post: Omit<Post, 'viewer'>) => boolean
}

/** A page of those posts of a list that the viewer may see. Errors: `invalid_cursor`. */
export async function readPostPage(
  visiblePosts: VisiblePosts,
  { viewer, isHeard, list, cursor, limit, ids, belongs }: PostList,
): Promise<EncodedPage> {
  const start = readIdCursor<'post'>(list, cursor)
  const { items, next } = await fillPage<ShownPost, PostId>(start, limit, async (before, limit) => {
    const read = await ids({ before, limit })
    const visible = await visiblePosts(viewer, read, isHeard)
    return {
      found: read.flatMap((id) => {
        const post = visible.get(id)
        const isShown = post && (!belongs || belongs(postOf(post.piece)))
        return isShown ? [{ key: id, item: post }] : []
      }),
      last: read.length < limit ? null : (read.at(-1) ?? null),
    }
  })
  return joinPage(items, writeIdCursor(list, next))
}
