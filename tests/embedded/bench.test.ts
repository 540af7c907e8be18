import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnProgram } from '../../scripts/process/program-process'

/** Runs a benchmark in its quick form; `look` is given the folder with what it saved. */
function testBench(name: string, what: string, look: (out: string) => Promise<void>): void {
  test.skipIf(!Bun.which('wrk'))(
    `bench ${name} ${what}`,
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'sns-bench-test-'))
      try {
        await using bench = spawnProgram('bench', [name, '--quick', '--out', out], {})
        const code = await bench.exited
        expect(code === 0 ? '' : bench.output()).toBe('')
        await look(out)
      } finally {
        rmSync(out, { recursive: true, force: true })
      }
    },
    600_000,
  )
}

testBench(
  'feed',
  'measures ours beside the other designs, which show the same posts',
  async (out) => {
    const { figures } = await Bun.file(join(out, 'feed.json')).json()
    const names = figures.map(({ name }: { name: string }) => name)
    for (const design of ['ours', 'constant', 'memory', 'pull']) expect(names).toContain(design)
    expect(names).toContain('ours / memory')
    for (const { value } of figures) expect(value).toBeGreaterThan(0)
  },
)

testBench('flame', 'draws where the time of a page goes', async (out) => {
  expect(await Bun.file(join(out, 'flame.svg')).text()).toContain('<title>joinPage services/api/')
})

testBench('frame', 'measures what is around a route', async (out) => {
  const { figures } = await Bun.file(join(out, 'frame.json')).json()
  expect(figures).toHaveLength(11)
  for (const { value } of figures) expect(value).toBeGreaterThan(0)
})
