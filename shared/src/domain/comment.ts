import type { CommentId, PostId } from './id'
import type { Author } from './user'

export interface Comment {
  readonly id: CommentId
  readonly postId: PostId
  readonly author: Author
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}
