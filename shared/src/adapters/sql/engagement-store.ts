import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { EngagementStore } from '../../ports/engagement-store'
import { createComment, deleteComment, readComments } from './engagement-comments'
import { likePost, unlikePost } from './engagement-likes'
import type { Database } from './schema'

export interface SqlEngagementStoreDeps {
  readonly clock: Clock
}

/** Likes and comments in SQL, with the counts beside them. */
export function createSqlEngagementStore(
  db: Kysely<Database>,
  { clock }: SqlEngagementStoreDeps,
): EngagementStore {
  return {
    like: (userId, postId) => likePost(db, clock, userId, postId),
    unlike: (userId, postId) => unlikePost(db, userId, postId),
    comment: (comment) => createComment(db, comment),
    deleteComment: (id, author) => deleteComment(db, id, author),
    comments: (postId, viewer, page) => readComments(db, postId, viewer, page),
  }
}
