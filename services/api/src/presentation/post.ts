import type * as contract from '@sns/shared/contract/http/post'
import { formatId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'
import { formatTime } from './time'
import { presentAuthor } from './user'

export function presentPost({ body, state }: ViewedPost): contract.Post {
  return {
    id: formatId(body.id),
    author: presentAuthor(state.author),
    text: body.text,
    createdAt: formatTime(body.createdAt),
    editedAt: body.editedAt === null ? null : formatTime(body.editedAt),
    counts: { likes: state.counts.likes, comments: state.counts.comments },
    viewer: { liked: state.liked },
  }
}
