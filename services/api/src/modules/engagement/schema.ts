import { type Static, Type } from '@sinclair/typebox'
import { findEntities } from '@sns/shared/domain/entities'
import { formatId } from '@sns/shared/domain/id'
import type * as domain from '@sns/shared/domain/post'
import { COMMENT_TEXT_MAX } from '@sns/shared/domain/post'
import { formatTime, IdField, pageOf, TimeField, textField } from '../../http/fields'
import { Entities } from '../posts/schema'
import { Author, presentAuthor } from '../users/schema'

export const CommentDraft = Type.Object(
  {
    text: textField(COMMENT_TEXT_MAX, '정말 그렇네요'),
  },
  { component: 'CommentDraft', additionalProperties: false },
)

export const Comment = Type.Object(
  {
    id: IdField,
    postId: IdField,
    author: Author,
    text: Type.String(),
    entities: Entities,
    createdAt: TimeField,
  },
  { component: 'Comment', additionalProperties: false, description: 'A comment' },
)

export const CommentPage = pageOf(Comment, 'CommentPage', 'Comments, oldest first')

export type CommentDraft = Static<typeof CommentDraft>
export type Comment = Static<typeof Comment>
export type CommentPage = Static<typeof CommentPage>

export function presentComment(comment: domain.Comment): Comment {
  return {
    id: formatId(comment.id),
    postId: formatId(comment.postId),
    author: presentAuthor(comment.author),
    text: comment.text,
    entities: [...findEntities(comment.text)],
    createdAt: formatTime(comment.createdAt),
  }
}
