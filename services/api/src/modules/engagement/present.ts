import { formatId } from '@sns/shared/domain/id'
import type { Comment } from '@sns/shared/domain/post'
import { formatTime } from '../../http/fields'
import { presentAuthor } from '../users/present'
import type * as contract from './schema'

export function presentComment(comment: Comment): contract.Comment {
  return {
    id: formatId(comment.id),
    postId: formatId(comment.postId),
    author: presentAuthor(comment.author),
    text: comment.text,
    createdAt: formatTime(comment.createdAt),
  }
}
