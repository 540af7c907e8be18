import { expect, test } from 'bun:test'
import { join } from 'node:path'

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
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([\w-]+)/g)].map(([, name = '']) => name))
    .filter((name) => name !== 'command')
  expect(new Set(named)).toEqual(new Set(Object.keys(scripts)))
  expect(new Set(readme.match(/bun@[\d.]+\d/g))).toEqual(new Set([packageManager]))
})

test.each(['README.md', 'docs/03-operations.md'])(
  '%s starts compose with secrets that init makes',
  async (page) => {
    const lines = (await read(page)).split('\n')
    const last = lines.indexOf('docker compose up --build')
    expect(lines[last - 1]).toStartWith('npx --yes bun@1.4.5 run init ')
    expect(lines[last - 2]).toBe('```sh')
  },
)
