import type * as contract from '@sns/shared/contract/http/post'
import { formatId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'
import { formatTime } from './time'
import { presentAuthor } from './user'

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
