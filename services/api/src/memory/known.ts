import type { Belief, Freshness } from '@sns/shared/ports/freshness'
import { LRUCache } from 'lru-cache'

/** What holds the entries: it may let any go, to stay within its bounds. */
export interface Kept<Key extends number, Value extends object> {
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
}: LeastRecentlyUsedOptions<Value>): Kept<Key, Value> {
  return new LRUCache<Key, Value>({
    max: maxEntries,
    maxSize: Math.floor(maxBytes),
    sizeCalculation: (value) => Math.max(1, bytesOf(value)),
  })
}

/** A load under way, and what was heard of since it began. */
interface Load<Key> {
  readonly overtaken: Set<Key>
}

export type Known<Key extends number, Value extends object> = ReturnType<
  typeof createKnown<Key, Value>
>

/**
 * What a process keeps of the database, each entry only while it is known to be what the database
 * holds. Ask `isBelieved` after a barrier of the same read and before `peek`.
 */
export function createKnown<Key extends number, Value extends object>(
  { freshness }: { readonly freshness: Pick<Freshness, 'belief'> },
  kept: Kept<Key, Value>,
) {
  const loads = new Set<Load<Key>>()
  let keptUnder: Belief | null = null

  function currentBelief(): Belief | null {
    const belief = freshness.belief()
    if (belief !== null && belief !== keptUnder) {
      kept.clear()
      keptUnder = belief
    }
    return belief
  }

  function overtake(key: Key): void {
    for (const load of loads) load.overtaken.add(key)
  }

  return {
    /** Whether what is kept may be used now. What was kept under another belief is gone after this. */
    isBelieved: () => currentBelief() !== null,

    peek: (key: Key): Value | undefined => kept.get(key),

    /**
     * Reads the database, and hands the result to `keep` for what may be kept of it: entries that
     * nothing was heard of since the read began, and only under the belief under which it began. The
     * result itself is as fresh as the read in any case.
     */
    async load<Result>(
      read: () => Promise<Result>,
      keep: (result: Result, entry: (key: Key, value: Value) => void) => void,
    ): Promise<Result> {
      const belief = currentBelief()
      const load: Load<Key> = { overtaken: new Set() }
      loads.add(load)
      try {
        const result = await read()
        if (belief !== null && currentBelief() === belief) {
          keep(result, (key, value) => {
            if (!load.overtaken.has(key)) kept.set(key, value)
          })
        }
        return result
      } finally {
        loads.delete(load)
      }
    },

    forget(key: Key): void {
      kept.delete(key)
      overtake(key)
    },

    keys: (): readonly Key[] => [...kept.keys()],

    /** What is kept of `keys` and may be used now; looking at it does not count as using it. */
    entries(keys: readonly number[]): ReadonlyMap<Key, Value> {
      const entries = new Map<Key, Value>()
      if (currentBelief() === null) return entries
      for (const key of keys as readonly Key[]) {
        const value = kept.peek(key)
        if (value !== undefined) entries.set(key, value)
      }
      return entries
    },

    /** Keeps nothing of `key` that is being loaded now; what is kept of it stays. */
    overtake,

    get size(): number {
      return kept.size
    },
  }
}
