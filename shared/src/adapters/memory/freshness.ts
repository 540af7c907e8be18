import type { Belief, Change, Freshness } from '../../ports/freshness'

/** Freshness within one process: listeners hear a change while it is announced. */
export function createMemoryFreshness(): Freshness {
  const belief: Belief = { belief: true }
  const listeners: ((change: Change) => void)[] = []
  return {
    async announce(changes) {
      for (const change of changes) for (const listener of listeners) listener(change)
    },
    async barrier() {},
    belief: () => belief,
    onChange: (listener) => void listeners.push(listener),
  }
}
