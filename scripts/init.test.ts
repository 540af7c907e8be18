import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { SECRETS } from './init'

const script = join(import.meta.dir, 'init.ts')

function run(cwd: string) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    ['sh', '-c', 'umask 022; exec "$0" "$1"', process.execPath, script],
    { cwd, env: { PATH: process.env.PATH } },
  )
  return { exitCode, output: stdout.toString() + stderr.toString() }
}

test('writes the secrets of compose once, for their owner alone', async () => {
  await using folder = await temporaryFolder()
  expect(run(folder.path)).toEqual({
    exitCode: 0,
    output: `wrote ${folder.path}/.env with 6 secrets, readable by you alone\n`,
  })
  const file = join(folder.path, '.env')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const text = await Bun.file(file).text()
  const values = [...text.matchAll(/^([A-Z_]+)=([0-9a-f]{48})$/gm)].map(([, name, value]) => [
    name,
    value,
  ])
  expect(values.map(([name]) => name)).toEqual([...SECRETS])
  expect(new Set(values.map(([, value]) => value)).size).toBe(6)
  const preflight = await Bun.file(join(import.meta.dir, '../ops/preflight.sh')).text()
  for (const name of SECRETS) expect(preflight).toContain(`check ${name} `)

  const again = run(folder.path)
  expect(again.exitCode).toBe(1)
  expect(again.output).toContain('is there already: nothing was written')
  expect(await Bun.file(file).text()).toBe(text)
})

test('says where it cannot write', () => {
  expect(run('/proc')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('/proc/.env cannot be written'),
  })
})
