import { gzipSync } from 'bun'

/** Follows as pairs of user numbers; no self-loops, no duplicates. */
export type Edge = readonly [follower: number, followee: number]

export interface GraphOptions {
  readonly users: number
  /** Mean of follows a user makes. */
  readonly meanFollows: number
  /** Chance that a follow is returned. */
  readonly reciprocity: number
  readonly seed: number
}

/**
 * A directed graph with heavy-tailed in-degrees by preferential attachment: each new user follows
 * others with a probability that grows with the followers they have (Barabási and Albert, "Emergence
 * of Scaling in Random Networks", 1999), how many is geometric, and some follow back. The same seed
 * gives the same graph.
 */
export function generateHeavyTailedGraph(options: GraphOptions): Edge[] {
  const random = mulberry32(options.seed)
  // Each follow adds its target once more, so a uniform draw is a draw by followers plus one.
  const tickets: number[] = []
  const seen = new Set<number>()
  const edges: Edge[] = []

  function follow(from: number, to: number): void {
    const key = from * options.users + to
    if (from === to || seen.has(key)) return
    seen.add(key)
    edges.push([from, to])
    tickets.push(to)
  }

  const stop = 1 / (options.meanFollows / (1 + options.reciprocity) + 1)
  for (let user = 0; user < options.users; user++) {
    while (user > 0 && random() >= stop) {
      const target = tickets[Math.floor(random() * tickets.length)] ?? 0
      follow(user, target)
      if (random() < options.reciprocity) follow(target, user)
    }
    tickets.push(user)
  }
  return edges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
}

/** Tommy Ettinger's mulberry32: a small seeded generator of numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** The graph that ships in sample/. */
export const SAMPLE_GRAPH = { users: 1_000, meanFollows: 14, reciprocity: 0.3, seed: 2026 } as const

if (import.meta.main) {
  const edges = generateHeavyTailedGraph(SAMPLE_GRAPH)
  const text = edges.map(([from, to]) => `${from}\t${to}\n`).join('')
  await Bun.write(new URL('../../sample/graph.edges.gz', import.meta.url), gzipSync(text))
  console.log(`sample/graph.edges.gz: ${SAMPLE_GRAPH.users} users, ${edges.length} follows`)
}
