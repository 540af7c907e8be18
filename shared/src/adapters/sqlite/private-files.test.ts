import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postRow } from '../../testing/post-rows'
import { openSqliteDatabase } from './database'
import { lockForProcess } from './process-lock'

let folder: string
let umask: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-modes-'))
  chmodSync(folder, 0o755)
  // The most careless one: what is private here is private everywhere.
  umask = process.umask(0)
})
afterEach(() => {
  process.umask(umask)
  rmSync(folder, { recursive: true })
})

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** As a suite opens it; the modes of all its files while it is open. */
async function modesOf(path: string): Promise<Record<string, string>> {
  using _lock = lockForProcess(path)
  await using database = await openSqliteDatabase({ path })
  await database.db.insertInto('posts').values(postRow(1)).execute()
  const names = readdirSync(join(path, '..'))
  return Object.fromEntries(names.map((name) => [name, mode(join(path, '..', name))]))
}

test('all that a suite makes is its owner’s alone, folders too', async () => {
  expect(await modesOf(join(folder, 'new/data/sns.db'))).toEqual({
    'sns.db': '600',
    'sns.db-shm': '600',
    'sns.db-wal': '600',
    'sns.db.lock': '600',
    'sns.db.lock-journal': '600',
  })
  expect([mode(join(folder, 'new')), mode(join(folder, 'new/data'))]).toEqual(['700', '700'])
})

test('a folder that is there stays as it is; a database that was open to others is closed to them', async () => {
  const path = join(folder, 'sns.db')
  {
    await using _ = await openSqliteDatabase({ path })
    for (const suffix of ['', '-wal', '-shm']) chmodSync(path + suffix, 0o644)
  }
  chmodSync(path, 0o644)
  expect(new Set(Object.values(await modesOf(path)))).toEqual(new Set(['600']))
  expect(mode(folder)).toBe('755')
})

test('a link that leads to nothing yet gets a private database too', async () => {
  mkdirSync(join(folder, 'disk'))
  symlinkSync(join(folder, 'disk/sns.db'), join(folder, 'link.db'))
  await modesOf(join(folder, 'link.db'))
  expect(mode(join(folder, 'disk/sns.db'))).toBe('600')
})

test('a file that is no database is left as it is', async () => {
  const letter = join(folder, 'letter.txt')
  writeFileSync(letter, 'Dear database, '.repeat(500))
  chmodSync(letter, 0o644)
  await expect(openSqliteDatabase({ path: letter })).rejects.toThrow('not an SQLite database')
  expect(mode(letter)).toBe('644')
  expect(existsSync(`${letter}-wal`)).toBe(false)
})
