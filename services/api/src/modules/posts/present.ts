import { formatId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'
import { formatTime } from '../../http/fields'
import { presentAuthor } from '../users/present'
import type * as contract from './schema'

export function presentPost({ body, author, counts, liked }: ViewedPost): contract.Post {
  return {
    id: formatId(body.id),
    author: presentAuthor(author),
    text: body.text,
    createdAt: formatTime(body.createdAt),
    editedAt: body.editedAt === null ? null : formatTime(body.editedAt),
    counts: { likes: counts.likes, comments: counts.comments },
    viewer: { liked },
  }
}
