import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { spawnProgram } from '../../scripts/process/program-process'

test.skipIf(!hasAllTestServers || !Bun.which('redis-benchmark'))(
  'bench fanout measures pushes beside bare Redis',
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'sns-bench-test-'))
    await using names = await createServerNames()
    try {
      await using bench = spawnProgram('bench', ['fanout', '--quick', '--out', out], names.env)
      const code = await bench.exited
      expect(code === 0 ? '' : bench.output()).toBe('')
      const { figures } = await Bun.file(join(out, 'fanout.json')).json()
      expect(figures.map(({ name }: { name: string }) => name)).toContain('pushes / LPUSHX')
      for (const { value } of figures) expect(value).toBeGreaterThan(0)
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  },
  120_000,
)

test.skipIf(!hasAllTestServers || !Bun.which('wrk'))(
  'bench writes measures posts beside bare inserts, and the feed beside both',
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'sns-bench-test-'))
    await using names = await createServerNames()
    try {
      await using bench = spawnProgram('bench', ['writes', '--quick', '--out', out], names.env)
      const code = await bench.exited
      expect(code === 0 ? '' : bench.output()).toBe('')
      const { figures } = await Bun.file(join(out, 'writes.json')).json()
      expect(figures.map(({ name }: { name: string }) => name)).toContain(
        'posts with the workers stopped / bare inserts',
      )
      for (const { value } of figures) expect(value).toBeGreaterThan(0)
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  },
  180_000,
)
