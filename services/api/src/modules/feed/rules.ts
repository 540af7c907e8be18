import type { PostId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'

/**
 * Decides what of a skeleton is shown: what the truth names and nothing else (F1), strictly newest first
 * and no post twice (F3), whatever a cache said.
 */
export function applyRules(
  ids: readonly PostId[],
  hydrated: ReadonlyMap<PostId, ViewedPost>,
  before: PostId | null,
): ViewedPost[] {
  const shown: ViewedPost[] = []
  let last: number = before ?? Number.POSITIVE_INFINITY
  for (const id of ids) {
    const post = hydrated.get(id)
    if (!post || id >= last) continue
    shown.push(post)
    last = id
  }
  return shown
}
