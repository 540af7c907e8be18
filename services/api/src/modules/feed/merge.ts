import type { PostId } from '@sns/shared/domain/id'

/** Ids newest first; every id at or above `floor` is there, 0: every id. */
export interface IdList {
  readonly ids: readonly PostId[]
  readonly floor: number
}

/**
 * The newest `limit` ids below `before` (null: from the newest) of a window and of lists beside it, each
 * once. `window` has its newest `limit` below `before`, or all down to its floor. The result has all down to
 * its floor, or `limit`.
 */
export function mergeLists(
  window: IdList,
  lists: readonly IdList[],
  before: PostId | null,
  limit: number,
): IdList {
  if (lists.length === 0) return window
  const floor = Math.max(window.floor, ...lists.map((list) => list.floor))
  const below = before ?? Number.POSITIVE_INFINITY
  const found = new Set<PostId>()
  for (const { ids } of [window, ...lists]) {
    let taken = 0
    for (const id of ids) {
      if (id >= below) continue
      if (id < floor || taken === limit) break
      found.add(id)
      taken += 1
    }
  }
  const ids = [...found].sort((a, b) => b - a).slice(0, limit)
  return { ids, floor }
}
