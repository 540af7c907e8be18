import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import { GO_ON_COMMAND } from '../../scripts/backup/server-steps'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'
import { wholeFeed } from '../paging'

const WRITERS = 4
const POSTS = 40

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-backup-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const databaseUrl = (name: string) => `sqlite:${join(folder, name)}`

async function run(script: string, args: readonly string[], DATABASE_URL: string) {
  await using program = spawnProgram(script, args, { DATABASE_URL })
  return { code: await program.exited, output: program.output() }
}

async function start(name: string): Promise<ProgramProcess & { readonly url: string }> {
  const url = `http://127.0.0.1:${freePort()}`
  const env = { DATABASE_URL: databaseUrl(name), WEB_PORT: new URL(url).port, LOG_LEVEL: 'warn' }
  const program = spawnProgram('start', [], env)
  await program.ready(url)
  return Object.assign(program, { url })
}

/** Runs writers until the suite ends; returns the acknowledged writes. */
function startWriters(url: string, token: string) {
  const { v1 } = createClient(url, { token })
  const acknowledged: string[] = []
  const write = async () => {
    for (;;) {
      const id = await v1.posts.post({ text: 'to be backed up' }).then(
        ({ data }) => data?.id,
        () => undefined,
      )
      if (id === undefined) return
      acknowledged.push(id)
    }
  }
  return { acknowledged, ended: Promise.all(Array.from({ length: WRITERS }, write)) }
}

/** Every row of every table, but the backup's own. */
function rowsOf(path: string): Map<string, string[]> {
  using database = new Database(path, { readonly: true })
  const tables = database
    .query<{ name: string }, []>("select name from sqlite_master where type = 'table'")
    .all()
  return new Map(
    tables.map(({ name }) => {
      const rows = database.query(`select * from "${name}"`).values()
      return [name, rows.map((row) => JSON.stringify(row)).sort()]
    }),
  )
}

test('after a crash: backed up, restored elsewhere, every table is as it was, and tokens hold', async () => {
  const file = join(folder, 'sns.backup')
  let token: string
  let acknowledged: readonly string[]
  {
    await using suite = await start('sns.db')
    const author = await signUp(suite.url, 'author')
    token = author.token
    const writers = startWriters(suite.url, token)
    await eventually(() => writers.acknowledged.length >= POSTS)
    await suite.crash()
    await writers.ended
    acknowledged = writers.acknowledged
  }
  expect(existsSync(join(folder, 'sns.db-wal'))).toBe(true)
  expect(await run('backup', [file], databaseUrl('sns.db'))).toEqual({
    code: 0,
    output: `${join(folder, 'sns.db')} is backed up to ${file}, with the key that signs tokens\n`,
  })
  expect(await run('restore', [file], databaseUrl('other/sns.db'))).toEqual({
    code: 0,
    output: `${join(folder, 'other/sns.db')} is what ${file} holds\n`,
  })
  const restored = rowsOf(join(folder, 'other/sns.db'))
  expect(restored.get('posts')?.length).toBeGreaterThanOrEqual(acknowledged.length)
  expect(restored.get('change_log')?.length).toBeGreaterThan(0)
  expect(restored).toEqual(rowsOf(join(folder, 'sns.db')))

  await using suite = await start('other/sns.db')
  const feed = new Set(await wholeFeed(createClient(suite.url, { token })))
  expect(feed.isSupersetOf(new Set(acknowledged))).toBe(true)
})

test('while a suite writes: the backup holds all that was acknowledged before it began, and restores only where none runs', async () => {
  const file = join(folder, 'sns.backup')
  await using suite = await start('sns.db')
  const { token } = await signUp(suite.url, 'author')
  const writers = startWriters(suite.url, token)
  await eventually(() => writers.acknowledged.length >= POSTS)
  const before = [...writers.acknowledged]
  expect((await run('backup', [file], databaseUrl('sns.db'))).code).toBe(0)
  const after = writers.acknowledged.length
  // The suite keeps working.
  await eventually(() => writers.acknowledged.length >= after + POSTS)

  expect(await run('backup', [file], databaseUrl('sns.db'))).toEqual({
    code: 1,
    output: `sns: ${file} exists: name another file, or add --overwrite\n`,
  })
  expect(await run('restore', [file], databaseUrl('sns.db'))).toEqual({
    code: 1,
    output: `sns: ${join(folder, 'sns.db')} is in use by another sns process: stop that one, or give this one another DATABASE_URL\n`,
  })
  await suite.crash()
  await writers.ended
  const { code, output } = await run('restore', [file], databaseUrl('sns.db'))
  expect(code).toBe(0)
  expect(output).toMatch(/; what was there is in \S+\n$/)

  const kept = output.trim().split(' ').at(-1)!
  const ids = (path: string) => {
    using database = new Database(path, { readonly: true })
    return new Set(database.query('select id from posts').values().flat().map(String))
  }
  expect(ids(join(folder, 'sns.db')).isSupersetOf(new Set(before))).toBe(true)
  expect(ids(join(kept, 'sns.db')).isSupersetOf(new Set(writers.acknowledged))).toBe(true)
})

test.each(['backup', 'restore'])(
  '%s on the servers says what to run, and fails',
  async (script) => {
    const url = 'mysql://keeper:hunter2@db.example:3307/sns'
    const { code, output } = await run(script, ["it's/sns.sql"], url)
    expect(code).toBe(1)
    expect(output).toContain('--host=db.example --port=3307 --user=keeper --password')
    expect(output).toContain("'it'\\''s/sns.sql'")
    expect(output).not.toContain('hunter2')
    expect(output).toMatch(/\nsns: nothing was (backed up|restored): /)
    if (script === 'restore') expect(output).toContain(GO_ON_COMMAND)
  },
)

test('a backup removes what one that was cut off left, and nothing of one that runs', async () => {
  await using suite = await start('sns.db')
  await suite.stop()
  const file = join(folder, 'backup')
  const ended = Bun.spawn(['true'])
  await ended.exited
  const [left, running] = [`${file}.${ended.pid}.part`, `${file}.${process.pid}.part`]
  for (const part of [left, running]) writeFileSync(part, 'a part')
  expect((await run('backup', [file], databaseUrl('sns.db'))).code).toBe(0)
  expect([existsSync(left), existsSync(running)]).toEqual([false, true])
})

test('the page on operations gives the statement that restore gives', () => {
  const page = readFileSync(join(import.meta.dir, '../../docs/03-operations.md'), 'utf8')
  expect(page.replaceAll('\n', ' ')).toContain(GO_ON_COMMAND)
})

test.each([
  ['backup', []],
  ['backup', ['a', 'b']],
  ['backup', ['--force']],
  ['restore', []],
  ['restore', ['a', '--overwrite']],
] as const)('%s %j is told how it is used', async (script, args) => {
  const { code, output } = await run(script, args, databaseUrl('sns.db'))
  expect(code).toBe(2)
  expect(output).toContain(`; usage: ${script} FILE`)
})
