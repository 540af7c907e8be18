import type { IdGenerator, UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import { COMMENT_TEXT_MAX } from '@sns/shared/domain/post'
import type { EngagementStore } from '@sns/shared/ports/engagement-store'
import { readIdCursor, writeIdCursor } from '../../http/cursors'
import type { PageQuery } from '../../http/fields'
import { parseText, pathId } from '../../http/input'
import { presentComment } from './present'
import type * as contract from './schema'

export interface EngagementServiceDeps {
  readonly engagement: EngagementStore
  readonly ids: IdGenerator
}

export function createEngagementService({ engagement, ids }: EngagementServiceDeps) {
  return {
    async like(viewer: UserId, postId: string): Promise<void> {
      await engagement.like(viewer, pathId(postId))
    },

    async unlike(viewer: UserId, postId: string): Promise<void> {
      await engagement.unlike(viewer, pathId(postId))
    },

    async comment(viewer: UserId, postId: string, text: string): Promise<contract.Comment> {
      const comment = await engagement.comment({
        id: ids.next<'comment'>(),
        postId: pathId(postId),
        authorId: viewer,
        text: parseText('text', text, COMMENT_TEXT_MAX),
      })
      return presentComment(comment)
    },

    async comments(
      viewer: UserId,
      postId: string,
      query: PageQuery,
    ): Promise<contract.CommentPage> {
      const after = readIdCursor<'comment'>('comments', query.cursor)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const page = await engagement.comments(pathId(postId), viewer, { after, limit })
      return {
        items: page.items.map(presentComment),
        nextCursor: writeIdCursor('comments', page.next),
      }
    },

    async deleteComment(viewer: UserId, commentId: string): Promise<void> {
      await engagement.deleteComment(pathId(commentId), viewer)
    },
  }
}
