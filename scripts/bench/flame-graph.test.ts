import { expect, test } from 'bun:test'
import { type CpuProfile, drawFlameGraph, foldProfile } from './flame-graph'

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 0 })
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4, 5] },
    { id: 2, callFrame: frame('page', 'file:///x/services/api/src/feed.ts'), children: [3] },
    {
      id: 3,
      callFrame: frame('get', 'file:///x/node_modules/.bun/a@1/node_modules/lru-cache/i.js'),
    },
    { id: 4, callFrame: frame('(idle)') },
    { id: 5, callFrame: frame('<start>') },
  ],
  samples: [5, 2, 3, 4, 3],
  timeDeltas: [9_000, 1_000, 2_000, 5_000, 1_000],
}

test('adds up the time of each stack, without idle time and what was before', () => {
  const root = foldProfile(profile, 0.009)
  expect(root.total).toBe(4_000)
  const [page] = [...root.calls.values()]
  expect(page).toMatchObject({ name: 'page', origin: 'services/api/feed.ts', total: 4_000 })
  const [get] = [...(page?.calls.values() ?? [])]
  expect(get).toMatchObject({ name: 'get', origin: 'lru-cache', total: 3_000 })
})

test('draws widths as shares, and names as text', () => {
  const svg = drawFlameGraph(foldProfile(profile, 60), 'a < b')
  expect(svg).toContain('a &lt; b')
  expect(svg).toContain('<title>&lt;start&gt;  69.2 %</title>')
  expect(svg).toContain('<title>get lru-cache 23.1 %</title>')
  expect(svg).toMatch(/get lru-cache[\s\S]*?width="276\.5"/)
})
