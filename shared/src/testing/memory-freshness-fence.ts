import { type FenceState, type FreshnessFence, REPORT_TTL_MS } from '../ports/freshness-fence'

/** A fence in this process, for simulations; `now` is the database's clock. */
export function createMemoryFreshnessFence(
  now: () => number,
  reportTtlMs = REPORT_TTL_MS,
): FreshnessFence {
  const processes = new Map<string, { readonly server: string | null; readonly seenAt: number }>()
  let state: FenceState = { generation: 0, isOpen: false, server: '', term: 0 }
  return {
    read: async () => state,
    async close() {
      if (state.isOpen) state = { ...state, isOpen: false, generation: state.generation + 1 }
      return state
    },
    async forgetServer(generation) {
      if (state.isOpen || state.generation !== generation) return false
      state = { ...state, server: '' }
      return true
    },
    async open(server, generation) {
      if (state.isOpen || state.generation !== generation) return false
      const since = now() - reportTtlMs
      const others = [...processes.values()].filter(({ seenAt }) => seenAt > since)
      if (others.some((other) => other.server !== server)) return false
      const term = state.term + (state.server === server ? 0 : 1)
      state = { generation, isOpen: true, server, term }
      return true
    },
    async report(process, server) {
      processes.set(process, { server, seenAt: now() })
    },
    async leave(process) {
      processes.delete(process)
    },
  }
}
