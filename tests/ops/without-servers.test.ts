import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'

const root = join(import.meta.dir, '../..')

test('on a machine without servers every server test is skipped, and none fails', async () => {
  const child = Bun.spawn([process.execPath, 'scripts/test.ts', '.server.test.ts'], {
    cwd: root,
    env: commandEnvironment(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const output = await new Response(child.stdout).text()
  expect(output).toMatch(/[1-9]\d* skipped\n\d+ passed, 0 failed\n$/)
  expect(await child.exited).toBe(0)
}, 120_000)
