import type { PostId, UserId } from './id'
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

/** What the truth says about a post just now, for one viewer: everything a body may not be asked. */
export interface PostState {
  readonly id: PostId
  readonly version: number
  readonly author: Author
  readonly counts: { readonly likes: number; readonly comments: number }
  readonly liked: boolean
}

/** A post as one viewer sees it. */
export interface ViewedPost {
  readonly body: PostBody
  readonly state: PostState
}

/** Characters are Unicode code points. */
export const POST_TEXT_MAX = 2_000
export const COMMENT_TEXT_MAX = 1_000
