import type { Belief, Freshness } from '@sns/shared/ports/freshness'
import { LRUCache } from 'lru-cache'

/** What holds the entries: it may evict any, to stay within its bounds. */
export interface EntryStore<Key extends number, Value extends object> {
  get(key: Key): Value | undefined
  /** Does not count as using it. */
  peek(key: Key): Value | undefined
  set(key: Key, value: Value): void
  delete(key: Key): void
  clear(): void
  keys(): Iterable<Key>
  readonly size: number
}

export interface LeastRecentlyUsedOptions<Value> {
  /** How many entries are kept at most: those used last. */
  readonly maxEntries: number
  /** Bounds the sum of `bytesOf`. */
  readonly maxBytes: number
  readonly bytesOf: (value: Value) => number
}

/** Keeps entries as they are given. */
export function leastRecentlyUsed<Key extends number, Value extends object>({
  maxEntries,
  maxBytes,
  bytesOf,
}: LeastRecentlyUsedOptions<Value>): EntryStore<Key, Value> {
  return new LRUCache<Key, Value>({
    max: maxEntries,
    maxSize: Math.floor(maxBytes),
    sizeCalculation: (value) => Math.max(1, bytesOf(value)),
  })
}

/** How entries are read from the database. */
export interface Loading<Key, Value, Stamp> {
  /** Reads an entry for each key. */
  readonly load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>
  /** What tells this load from others of the same keys, as of its start. */
  readonly stamp: Stamp
  /** Whether a load in progress with that stamp serves this reader too; every one does if absent. */
  readonly joins?: (stamp: Stamp, key: Key) => boolean
  /** Whether a cached entry serves this reader; every one does if absent. */
  readonly isCurrent?: (value: Value, key: Key) => boolean
  /** Called just before an entry is cached, for what is recorded beside it. */
  readonly onCache?: (key: Key) => void
}

/** A read or a write in progress whose entries may be cached. */
interface Load<Key, Value, Stamp> {
  /** The belief under which it began. */
  readonly belief: Belief
  /** Null: it is a write, which nobody can join. */
  readonly reading: {
    readonly stamp: Stamp
    readonly entries: Promise<ReadonlyMap<Key, Value>>
  } | null
}

export interface CoherentCache<Key extends number, Value extends object, Stamp> {
  /**
   * The cached entries, while they are known to be what the database holds; null while they are not. Ask after a
   * barrier of the same read, and again after each await.
   */
  current(): Pick<EntryStore<Key, Value>, 'get' | 'peek'> | null
  /**
   * The entry of each key: cached, or read from the database by one load for all who ask while it is in progress. After
   * a barrier of the same read. What is returned is what was cached or read: whether an entry that was read may be
   * cached too makes no difference to it. Errors: those of the load.
   */
  getMany(
    keys: readonly Key[],
    loading: Loading<Key, Value, Stamp>,
  ): Promise<ReadonlyMap<Key, Value>>
  /**
   * Runs a write that makes the entry of `key`, and caches that entry as if it had been read meanwhile; null caches
   * nothing. Returns what the write does.
   */
  writeThrough<Result>(
    key: Key,
    write: () => Promise<Result>,
    made: { readonly entryOf: (result: Result) => Value | null; readonly onCache?: () => void },
  ): Promise<Result>
  /** The entry has changed: what is cached or being read of it is not used for reads that begin after this. */
  invalidate(key: Key): void
  /** Whether the entry is being read, and may be cached. */
  isLoading(key: Key): boolean
  keys(): readonly Key[]
  /** What is cached of `keys` and may be used now; looking at it does not count as using it. */
  entries(keys: readonly number[]): ReadonlyMap<Key, Value>
}

/**
 * What a process keeps of the database, each entry only while it is known to be what the database holds.
 *
 * A load is remembered for each key that it reads until it ends or the key changes, and only the latest load of a
 * key. So a change costs the same however many loads are in progress, and the memory of it is that of the keys being
 * read. Only a load that is still remembered is cached or joined, and only under the belief under which it began: a
 * reader that joins it has heard of every change that was answered before, and the load began after all of those of
 * its keys.
 */
export function createCoherentCache<Key extends number, Value extends object, Stamp = undefined>(
  { freshness }: { readonly freshness: Pick<Freshness, 'belief'> },
  store: EntryStore<Key, Value>,
): CoherentCache<Key, Value, Stamp> {
  /** The latest load of each key, unless the key changed since it began. */
  const inProgress = new Map<Key, Load<Key, Value, Stamp>>()
  let cachedUnder: Belief | null = null

  /** The belief of this moment. Clears what was cached under an earlier one. */
  function currentBelief(): Belief | null {
    const belief = freshness.belief()
    if (belief !== null && belief !== cachedUnder) {
      store.clear()
      cachedUnder = belief
    }
    return belief
  }

  const current = () => (currentBelief() === null ? null : store)

  function cache(
    load: Load<Key, Value, Stamp>,
    key: Key,
    value: Value,
    onCache?: () => void,
  ): void {
    if (inProgress.get(key) !== load || currentBelief() !== load.belief) return
    onCache?.()
    store.set(key, value)
  }

  function end(load: Load<Key, Value, Stamp>, keys: readonly Key[]): void {
    for (const key of keys) if (inProgress.get(key) === load) inProgress.delete(key)
  }

  function read(
    keys: readonly Key[],
    { load, stamp, onCache }: Loading<Key, Value, Stamp>,
    belief: Belief | null,
  ): Promise<ReadonlyMap<Key, Value>> {
    if (belief === null) return load(keys)
    const entries = Promise.resolve(keys).then(load)
    const reading: Load<Key, Value, Stamp> = { belief, reading: { stamp, entries } }
    for (const key of keys) inProgress.set(key, reading)
    return entries
      .then((found) => {
        for (const [key, value] of found) cache(reading, key, value, () => onCache?.(key))
        return found
      })
      .finally(() => end(reading, keys))
  }

  return {
    current,

    async getMany(keys, loading) {
      const { joins = () => true, isCurrent = () => true } = loading
      const belief = currentBelief()
      const found = new Map<Key, Value>()
      const joined = new Map<Promise<ReadonlyMap<Key, Value>>, Key[]>()
      const missing: Key[] = []
      for (const key of keys) {
        const cached = belief === null ? undefined : store.get(key)
        const other = belief === null ? undefined : inProgress.get(key)
        if (cached !== undefined && isCurrent(cached, key)) found.set(key, cached)
        else if (other?.reading && other.belief === belief && joins(other.reading.stamp, key)) {
          const { entries } = other.reading
          const wanted = joined.get(entries)
          if (wanted) wanted.push(key)
          else joined.set(entries, [key])
        } else missing.push(key)
      }
      if (missing.length > 0) joined.set(read(missing, loading, belief), missing)
      await Promise.all(
        [...joined].map(async ([entries, wanted]) => {
          const loaded = await entries
          for (const key of wanted) found.set(key, entryIn(loaded, key))
        }),
      )
      return found
    },

    async writeThrough(key, write, { entryOf, onCache }) {
      const belief = currentBelief()
      if (belief === null) return write()
      const writing: Load<Key, Value, Stamp> = { belief, reading: null }
      inProgress.set(key, writing)
      try {
        const result = await write()
        const entry = entryOf(result)
        if (entry !== null) cache(writing, key, entry, onCache)
        return result
      } finally {
        end(writing, [key])
      }
    },

    invalidate(key) {
      store.delete(key)
      inProgress.delete(key)
    },

    isLoading: (key) => inProgress.has(key),

    keys: () => [...store.keys()],

    entries(keys) {
      const entries = new Map<Key, Value>()
      const cached = current()
      for (const key of keys as readonly Key[]) {
        const value = cached?.peek(key)
        if (value !== undefined) entries.set(key, value)
      }
      return entries
    },
  }
}

/** A load that leaves a key out would make pages that lack it. */
function entryIn<Key, Value>(loaded: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = loaded.get(key)
  if (value === undefined) throw new Error(`a load returned no entry for ${key}`)
  return value
}
