import type { Clock } from '../../domain/clock'
import type { PostId } from '../../domain/id'
import type { PostBody } from '../../domain/post'
import type { PostCache } from '../../ports/post-cache'

const TTL_MS = 24 * 3600 * 1000

export interface MemoryPostCacheOptions {
  /** How many bodies are kept: those used last. */
  readonly maxEntries: number
}

/** Bodies of one process; for embedded runs and tests. */
export function createMemoryPostCache(
  { clock }: { readonly clock: Clock },
  { maxEntries }: MemoryPostCacheOptions,
): PostCache {
  // In the order of the last use, longest ago first.
  const entries = new Map<PostId, { readonly body: PostBody; readonly expiresAt: number }>()
  return {
    async getMany(ids) {
      const found = new Map<PostId, PostBody>()
      const now = clock.now()
      for (const id of ids) {
        const entry = entries.get(id)
        if (!entry) continue
        entries.delete(id)
        if (entry.expiresAt <= now) continue
        entries.set(id, entry)
        found.set(id, entry.body)
      }
      return found
    },

    async putMany(bodies) {
      const expiresAt = clock.now() + TTL_MS
      for (const body of bodies) {
        entries.delete(body.id)
        entries.set(body.id, { body, expiresAt })
        const oldest = entries.keys().next().value
        if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
      }
    },
  }
}
