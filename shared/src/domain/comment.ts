import type { CommentId, PostId, UserId } from './id'

export interface Comment {
  readonly id: CommentId
  readonly postId: PostId
  readonly author: { readonly id: UserId; readonly username: string; readonly displayName: string }
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}
