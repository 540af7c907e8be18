import type { PostId, UserId } from '../domain/id'
import type { PostStore } from '../ports/post-store'

/** Pages through the feed to its end, with limits that take turns. */
export async function readWholeFeed(
  posts: PostStore,
  viewer: UserId,
  limits: readonly number[],
): Promise<readonly PostId[]> {
  const all: PostId[] = []
  for (let page = 0; ; page++) {
    const limit = limits[page % limits.length] ?? 1
    const ids = await posts.feedIds(viewer, { before: all.at(-1) ?? null, limit })
    all.push(...ids)
    if (ids.length < limit) return all
  }
}
