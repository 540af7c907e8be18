import { expect, test } from 'bun:test'
import { gunzipSync } from 'bun'
import { generateHeavyTailedGraph, SAMPLE_GRAPH } from './heavy-tailed-graph'

test('has no self-loops, no duplicates, and a tail far heavier than its mean', () => {
  const edges = generateHeavyTailedGraph(SAMPLE_GRAPH)
  const followers = new Array<number>(SAMPLE_GRAPH.users).fill(0)
  const pairs = new Set<string>()
  for (const [from, to] of edges) {
    expect(from).not.toBe(to)
    pairs.add(`${from} ${to}`)
    followers[to] = (followers[to] ?? 0) + 1
  }
  expect(pairs.size).toBe(edges.length)
  const mean = edges.length / SAMPLE_GRAPH.users
  expect(Math.max(...followers)).toBeGreaterThan(10 * mean)
})

test('the shipped graph is what the generator makes', async () => {
  const shipped = new TextDecoder().decode(
    gunzipSync(
      new Uint8Array(
        await Bun.file(new URL('../../sample/graph.edges.gz', import.meta.url)).arrayBuffer(),
      ),
    ),
  )
  const made = generateHeavyTailedGraph(SAMPLE_GRAPH)
  expect(shipped).toBe(made.map(([a, b]) => `${a}\t${b}\n`).join(''))
})
