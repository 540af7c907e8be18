import type { PostId } from '../domain/id'
import type { PostBody } from '../domain/post'

/**
 * Bodies of posts by id. An entry is used only where its version equals the one that the truth names,
 * and a body of a version never changes; so entries may be lost, old or written in any order without
 * anyone reading a wrong one. Holds nothing that depends on the viewer.
 *
 * Bounded: entries expire after a day and may be evicted before. Errors: `store_unavailable`.
 */
export interface PostCache {
  getMany(ids: readonly PostId[]): Promise<ReadonlyMap<PostId, PostBody>>
  putMany(bodies: readonly PostBody[]): Promise<void>
}
