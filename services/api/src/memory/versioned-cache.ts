import type { UserId } from '@sns/shared/domain/id'
import type { Account } from '@sns/shared/domain/user'
import type { Freshness } from '@sns/shared/ports/freshness'
import { createCoherentCache, leastRecentlyUsed } from './coherent-cache'

/** What an entry takes beside what is in it. */
const ENTRY_OVERHEAD = 500

/** Who asks, and the version of the graph that their account has now. */
export type Viewer = Pick<Account, 'id' | 'graphVersion'>

/** Something of a viewer, with the version of their graph under which it was read. */
export interface Versioned<Value> {
  readonly graphVersion: number
  readonly value: Value
}

export interface VersionedCacheOptions<Value> {
  readonly maxBytes: number
  readonly bytesOf: (value: Value) => number
  readonly read: (viewer: UserId) => Promise<Value>
}

/**
 * Something of each viewer, until a change of theirs is announced or their account has another version: a writer that
 * died may have raised it and announced nothing.
 */
export function createVersionedCache<Value>(
  { freshness }: { readonly freshness: Freshness },
  { maxBytes, bytesOf, read }: VersionedCacheOptions<Value>,
) {
  const cache = createCoherentCache<UserId, Versioned<Value>, number>(
    { freshness },
    leastRecentlyUsed({
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ value }) => ENTRY_OVERHEAD + bytesOf(value),
    }),
  )
  freshness.onChange((change) => {
    if (change.kind === 'viewer') cache.invalidate(change.user)
  })

  return {
    keys: cache.keys,
    entries: cache.entries,

    /** After a barrier of the same request. */
    async of({ id, graphVersion }: Viewer): Promise<Value> {
      const cached = cache.current()?.get(id)
      if (cached?.graphVersion === graphVersion) return cached.value
      const entries = await cache.getMany([id], {
        load: async () => new Map([[id, { graphVersion, value: await read(id) }]]),
        stamp: graphVersion,
        joins: (other) => other === graphVersion,
        isCurrent: (entry) => entry.graphVersion === graphVersion,
      })
      return (entries.get(id) as Versioned<Value>).value
    },
  }
}
