import type { PostId } from '@sns/shared/domain/id'
import type { PostPiece } from '../../memory/piece-cache'
import { LIKED, NOT_LIKED } from '../../memory/post-pieces'

export interface ShownPost {
  readonly id: PostId
  readonly piece: PostPiece
  readonly liked: boolean
}

const HEAD = Buffer.from('{"items":[')
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
    const { piece, liked } = shown[at] as ShownPost
    size += piece.to - piece.from - (liked ? NOT_LIKED.length - LIKED.length : 0)
  }
  const page = Buffer.allocUnsafe(size)
  let end = HEAD.copy(page)
  for (let at = 0; at < count; at += 1) {
    const { piece, liked } = shown[at] as ShownPost
    end += piece.source.copy(page, end, piece.from, piece.to)
    if (liked) end += LIKED.copy(page, end - NOT_LIKED.length) - NOT_LIKED.length
  }
  if (count > 0) end -= 1
  tail.copy(page, end)
  return page
}
