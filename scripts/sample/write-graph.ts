import { gzipSync } from 'bun'
import { generateHeavyTailedGraph } from './heavy-tailed-graph'

/** The graph that ships in sample/. */
export const SAMPLE_GRAPH = { users: 1_000, meanFollows: 14, reciprocity: 0.3, seed: 2026 } as const

if (import.meta.main) {
  const edges = generateHeavyTailedGraph(SAMPLE_GRAPH)
  const text = edges.map(([from, to]) => `${from}\t${to}\n`).join('')
  await Bun.write(new URL('../../sample/graph.edges.gz', import.meta.url), gzipSync(text))
  console.log(`sample/graph.edges.gz: ${SAMPLE_GRAPH.users} users, ${edges.length} follows`)
}
