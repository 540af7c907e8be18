import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { spawnProgram } from '../../scripts/process/program-process'

/** A benchmark, the tool that it loads with, and a ratio that it must tell. */
const BENCHES = [
  ['fanout', 'redis-benchmark', 'pushes / LPUSHX'],
  ['writes', 'wrk', 'posts with the workers stopped / bare inserts'],
  ['cdc', 'bun', '… and searchable / plain bulk'],
  ['search', 'wrk', 'a common word: ours / LIKE'],
] as const

for (const [name, tool, figure] of BENCHES) {
  const measure = async () => {
    const out = mkdtempSync(join(tmpdir(), 'sns-bench-test-'))
    await using names = await createServerNames()
    try {
      await using bench = spawnProgram('bench', [name, '--quick', '--out', out], names.env)
      const code = await bench.exited
      expect(code === 0 ? '' : bench.output()).toBe('')
      const { figures } = await Bun.file(join(out, `${name}.json`)).json()
      expect(figures.map((each: { name: string }) => each.name)).toContain(figure)
      for (const { value } of figures) expect(value).toBeGreaterThan(0)
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  }
  const title = `bench ${name} (with ${tool}) measures, and tells ${figure}`
  test.skipIf(!hasAllTestServers || !Bun.which(tool))(title, measure, 240_000)
}
