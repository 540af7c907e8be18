import type { PostId } from '@sns/shared/domain/id'
import type { PostPiece } from '../../memory/post-pieces'

export interface ShownPost {
  readonly id: PostId
  readonly piece: PostPiece
  readonly liked: boolean
}

const HEAD = Buffer.from('{"items":[')
const LIKED = Buffer.from('true}},')
const NOT_LIKED = Buffer.from('false}},')
const END = Buffer.from('],"nextCursor":null}')

/**
 * A page as UTF-8 JSON: the first `limit` of `shown`, and the cursor. The pieces are
 * copied as they are; nothing is parsed or escaped again.
 */
export function joinPage(
  shown: readonly ShownPost[],
  limit: number,
  nextCursor: string | null,
): Uint8Array {
  const count = Math.min(shown.length, limit)
  const tail = nextCursor === null ? END : Buffer.from(`],"nextCursor":"${nextCursor}"}`)
  // The last post has no comma after it.
  let size = HEAD.length + tail.length - (count > 0 ? 1 : 0)
  for (let at = 0; at < count; at += 1) {
    const post = shown[at]
    if (post) size += post.piece.head.length + (post.liked ? LIKED : NOT_LIKED).length
  }
  const page = Buffer.allocUnsafe(size)
  page.set(HEAD)
  let end = HEAD.length
  for (let at = 0; at < count; at += 1) {
    const post = shown[at]
    if (!post) continue
    page.set(post.piece.head, end)
    end += post.piece.head.length
    const flag = post.liked ? LIKED : NOT_LIKED
    const length = at === count - 1 ? flag.length - 1 : flag.length
    flag.copy(page, end, 0, length)
    end += length
  }
  page.set(tail, end)
  return page
}
