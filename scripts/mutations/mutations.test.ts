import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MUTATIONS } from './all'

const root = join(import.meta.dir, '../..')

test.each(MUTATIONS)(
  '$name: what it breaks stands once in its file, and its tests are there',
  async ({ file, find, tests }) => {
    const text = await Bun.file(join(root, file)).text()
    expect(text.split(find).length - 1).toBe(1)
    expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([])
  },
)

test('each has a name of its own', () => {
  const names = MUTATIONS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
