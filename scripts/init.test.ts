import { expect, test } from 'bun:test'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
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

function secretsIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
}

test('writes the secrets of compose once, for their owner alone', async () => {
  await using folder = await temporaryFolder()
  const secrets = join(folder.path, 'secrets')
  expect(run(folder.path)).toEqual({
    exitCode: 0,
    output: `wrote ${SECRETS.length} secrets into ${secrets}, which nobody else may open\n`,
  })
  expect(statSync(secrets).mode & 0o777).toBe(0o700)
  const written = secretsIn(secrets)
  expect(Object.keys(written).toSorted()).toEqual([...SECRETS].toSorted())
  expect(new Set(Object.values(written)).size).toBe(SECRETS.length)
  const preflight = await Bun.file(join(import.meta.dir, '../ops/preflight.sh')).text()
  for (const [name, text] of Object.entries(written)) {
    expect(text).toMatch(/^[0-9a-f]{48}\n$/)
    // Containers read them as other users.
    expect(statSync(join(secrets, name)).mode & 0o777).toBe(0o444)
    expect(preflight).toContain(`check ${name} `)
  }

  const again = run(folder.path)
  expect(again.exitCode).toBe(0)
  expect(again.output).toContain('nothing was written')
  expect(secretsIn(secrets)).toEqual(written)

  rmSync(join(secrets, 'secret-key'))
  expect(run(folder.path).output).toStartWith('wrote 1 secrets')
  const { 'secret-key': made, ...others } = secretsIn(secrets)
  const { 'secret-key': before, ...kept } = written
  expect(others).toEqual(kept)
  expect(made).not.toBe(before!)
})

test('takes those that .env has from before', async () => {
  await using folder = await temporaryFolder()
  await Bun.write(join(folder.path, '.env'), 'ES_PASSWORD=as-it-was-1234\nSECRET_KEY=signs-all\n')
  expect(run(folder.path).exitCode).toBe(0)
  expect(secretsIn(join(folder.path, 'secrets'))).toMatchObject({
    'es-password': 'as-it-was-1234\n',
    'secret-key': 'signs-all\n',
    'redis-password': expect.stringMatching(/^[0-9a-f]{48}\n$/),
  })
})

test('says where it cannot write', () => {
  expect(run('/proc')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('/proc/secrets cannot be written'),
  })
})
