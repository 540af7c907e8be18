import type { CommentId, PostId, UserId } from './id'
import type { Author } from './user'

/** What a post says. A body of a given id and version never changes. */
export interface PostBody {
  readonly id: PostId
  readonly authorId: UserId
  /** 1 at first, one more with each edit. */
  readonly version: number
  readonly text: string
  /** Unix milliseconds; the time in the id. */
  readonly createdAt: number
  readonly editedAt: number | null
}

/** The parts of a post that are the same for every viewer. */
export interface PublishedPost {
  readonly body: PostBody
  readonly author: Author
  readonly counts: { readonly likes: number; readonly comments: number }
}

/** A post as one viewer sees it. */
export interface ViewedPost extends PublishedPost {
  readonly liked: boolean
}

export interface Comment {
  readonly id: CommentId
  readonly postId: PostId
  readonly author: Author
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** Characters are Unicode code points. */
export const POST_TEXT_MAX = 2_000
export const COMMENT_TEXT_MAX = 1_000
