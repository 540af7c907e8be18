import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedSecret } from './embedded-secret'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-secret-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('is made once, long, and its owner’s alone', () => {
  const database = join(folder, 'sns.db')
  const key = embeddedSecret(database)
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(embeddedSecret(database)).toBe(key)
  expect(statSync(`${database}.secret`).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['sns.db.secret'])
  expect(embeddedSecret(join(folder, 'other.db'))).not.toBe(key)
})

test('processes that make one at the same time all get the same', async () => {
  const module = JSON.stringify(join(import.meta.dir, 'embedded-secret'))
  const database = JSON.stringify(join(folder, 'sns.db'))
  const keys = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const child = Bun.spawn(
        [
          process.execPath,
          '-e',
          `import { embeddedSecret } from ${module}; console.log(embeddedSecret(${database}))`,
        ],
        { stdout: 'pipe' },
      )
      return (await new Response(child.stdout).text()).trim()
    }),
  )
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(keys).size).toBe(1)
})

test('a file that holds no key, or cannot be read, is named', () => {
  writeFileSync(join(folder, 'a.db.secret'), 'short')
  expect(() => embeddedSecret(join(folder, 'a.db'))).toThrow(/a\.db\.secret holds no key/)
  expect(() => embeddedSecret(join(folder, 'nowhere/b.db'))).toThrow(/set SECRET_KEY/)
})
