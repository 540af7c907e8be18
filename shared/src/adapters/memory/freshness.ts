import type { Belief, Change, Freshness, Hint } from '../../ports/freshness'

/** Freshness within one process: listeners hear a change while it is announced. */
export function createMemoryFreshness(): Freshness {
  const belief: Belief = { belief: true }
  const listeners: ((change: Change) => void)[] = []
  const hintListeners: ((hint: Hint) => void)[] = []
  return {
    async announce(changes) {
      for (const change of changes) for (const listener of listeners) listener(change)
    },
    async hint(hints) {
      for (const hint of hints) for (const listener of hintListeners) listener(hint)
    },
    async barrier() {},
    belief: () => belief,
    onChange: (listener) => void listeners.push(listener),
    onHint: (listener) => void hintListeners.push(listener),
  }
}
