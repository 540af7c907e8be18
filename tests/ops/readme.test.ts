import { expect, test } from 'bun:test'
import { join } from 'node:path'

const root = join(import.meta.dir, '../..')
const read = (path: string) => Bun.file(join(root, path)).text()

test('the README opens with the two commands that the judge runs', async () => {
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(await read('README.md')) ?? []
  const commands = block.trim().split('\n')
  expect(commands).toEqual(['npx --yes bun@1.4.5 run demo', 'npx --yes bun@1.4.5 run test'])
  const judge = (await read('.ci/run')).split('\n')
  for (const command of commands) {
    expect(judge.some((line) => line.trim().startsWith(command))).toBe(true)
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
