import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'

const root = join(import.meta.dir, '../..')
const read = (path: string) => Bun.file(join(root, path)).text()

test('the README opens with the two commands that CI runs', async () => {
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(await read('README.md')) ?? []
  const commands = block.trim().split('\n')
  expect(commands).toEqual(['npx --yes bun@1.4.5 run demo', 'npx --yes bun@1.4.5 run test'])
  const ci = (await read('.ci/run')).split('\n')
  for (const command of commands) {
    expect(ci.some((line) => line.trim().startsWith(command))).toBe(true)
  }
})

test('every command the README names is a script, and the Bun it asks for is the one pinned', async () => {
  const readme = await read('README.md')
  const { scripts, packageManager } = JSON.parse(await read('package.json')) as {
    scripts: Record<string, string>
    packageManager: string
  }
  const table = readme.slice(readme.indexOf('## Commands'), readme.indexOf('## On the servers'))
  const named = [...table.matchAll(/^\| (.+?) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name))
    .filter((name) => name !== 'command')
  expect(new Set(named)).toEqual(new Set(Object.keys(scripts)))
  expect(new Set(readme.match(/bun@[\d.]+\d/g))).toEqual(new Set([packageManager]))
})

test.each(['README.md', 'docs/03-operations.md'])(
  'the secrets that %s makes are for their owner alone, and those of compose',
  async (page) => {
    const lines = (await read(page)).split('\n')
    const last = lines.indexOf('docker compose up --build')
    const first = lines.lastIndexOf('```sh', last)
    await using folder = await temporaryFolder()
    await Bun.write(join(folder.path, '.env.example'), await read('.env.example'))
    const script = `umask 022\n${lines.slice(first + 1, last).join('\n')}`
    const made = Bun.spawnSync(['sh', '-c', script], { cwd: folder.path })
    expect(made.stderr.toString()).toBe('')
    const env = join(folder.path, '.env')
    expect(statSync(env).mode & 0o777).toBe(0o600)
    const names = [...(await Bun.file(env).text()).matchAll(/^([A-Z_]+)=[0-9a-f]{48}$/gm)]
    const preflight = await read('ops/preflight.sh')
    expect(names).toHaveLength(6)
    for (const [, name] of names) expect(preflight).toContain(`check ${name} `)
  },
)
