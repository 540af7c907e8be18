import type { PostId } from '@sns/shared/domain/id'
import type { EncodedPage } from '../http/body'
import type { PostPiece } from './piece-cache'
import { LIKED, NOT_LIKED } from './post-pieces'

export interface ShownPost {
  readonly id: PostId
  readonly piece: PostPiece
  readonly liked: boolean
  /** Members beside those of a post, as UTF-8 JSON with a comma before each. */
  readonly more?: Buffer
}

const HEAD = Buffer.from('{"items":[')
const END = Buffer.from('],"nextCursor":null}')
/** How each piece ends. */
const POST_END = Buffer.from('},')

/**
 * A page as UTF-8 JSON: posts, and the cursor. The pieces are copied as they are; nothing is parsed or escaped
 * again.
 */
export function joinPage(shown: readonly ShownPost[], nextCursor: string | null): EncodedPage {
  const count = shown.length
  const tail = nextCursor === null ? END : Buffer.from(`],"nextCursor":"${nextCursor}"}`)
  // The last post has no comma after it.
  let size = HEAD.length + tail.length - (count > 0 ? 1 : 0)
  for (let at = 0; at < count; at += 1) {
    const { piece, liked, more } = shown[at] as ShownPost
    size += piece.to - piece.from - (liked ? NOT_LIKED.length - LIKED.length : 0)
    if (more) size += more.length
  }
  const page = Buffer.allocUnsafe(size)
  let end = HEAD.copy(page)
  for (let at = 0; at < count; at += 1) {
    const { piece, liked, more } = shown[at] as ShownPost
    end += piece.source.copy(page, end, piece.from, piece.to)
    if (liked) end += LIKED.copy(page, end - NOT_LIKED.length) - NOT_LIKED.length
    if (more) {
      end += more.copy(page, end - POST_END.length) - POST_END.length
      end += POST_END.copy(page, end)
    }
  }
  if (count > 0) end -= 1
  tail.copy(page, end)
  return { body: page, nextCursor }
}
