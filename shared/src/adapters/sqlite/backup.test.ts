import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postIds, postRow } from '../../testing/post-rows'
import { type EmbeddedFiles, writeBackup } from './backup'
import { openSqliteDatabase } from './database'
import { lockForProcess } from './process-lock'
import { restoreBackup } from './restore'

const KEY = `${'a'.repeat(64)}\n`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-backup-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function files(name: string): EmbeddedFiles {
  const database = join(folder, name, 'sns.db')
  return { database, secret: `${database}.secret` }
}

/** A database with one post, and a key unless told otherwise. */
async function keep(from: EmbeddedFiles, id: number, key: string | null = KEY): Promise<void> {
  await using database = await openSqliteDatabase({ path: from.database })
  await database.db.insertInto('posts').values(postRow(id)).execute()
  if (key !== null) writeFileSync(from.secret, key)
}

async function postsIn({ database: path }: EmbeddedFiles): Promise<number[]> {
  await using database = await openSqliteDatabase({ path })
  return postIds(database)
}

const mode = (path: string) => statSync(path).mode & 0o777
const backupFile = () => join(folder, 'sns.backup')
const fresh = { overwrite: false }

describe('a backup', () => {
  test('holds what is committed to a database in use, and the key; its owner’s alone', async () => {
    const from = files('live')
    await using database = await openSqliteDatabase({ path: from.database })
    await database.db.insertInto('posts').values(postRow(1)).execute()
    writeFileSync(from.secret, KEY)
    expect(statSync(`${from.database}-wal`).size).toBeGreaterThan(0)
    expect(writeBackup(from, { file: backupFile(), ...fresh })).toBe(true)
    expect(mode(backupFile())).toBe(0o600)
    expect(readdirSync(folder).sort()).toEqual(['live', 'sns.backup'])
    await database.db.insertInto('posts').values(postRow(2)).execute()

    const to = files('new')
    expect(restoreBackup(backupFile(), to)).toBeNull()
    expect(await postsIn(to)).toEqual([1])
    expect(readFileSync(to.secret, 'utf8')).toBe(KEY)
    for (const path of [to.database, to.secret]) expect(mode(path)).toBe(0o600)
    expect(await postIds(database)).toEqual([1, 2])
  })

  test('replaces another only where it is told to', async () => {
    const from = files('live')
    await keep(from, 1)
    writeFileSync(backupFile(), 'precious')
    expect(() => writeBackup(from, { file: backupFile(), ...fresh })).toThrow('add --overwrite')
    expect(readFileSync(backupFile(), 'utf8')).toBe('precious')
    writeBackup(from, { file: backupFile(), overwrite: true })
    restoreBackup(backupFile(), files('new'))
    expect(await postsIn(files('new'))).toEqual([1])
  })

  test('that fails leaves nothing behind', async () => {
    const from = files('live')
    expect(() => writeBackup(from, { file: backupFile(), ...fresh })).toThrow('nothing to back up')
    await keep(from, 1)
    truncateSync(from.database, 8192)
    expect(() => writeBackup(from, { file: backupFile(), ...fresh })).toThrow('failed')
    expect(readdirSync(folder)).toEqual(['live'])
  })
})

describe('a restore', () => {
  test('keeps what was there, so that a suite could run on it', async () => {
    const [from, to] = [files('live'), files('target')]
    await keep(from, 1)
    await keep(to, 2, `${'b'.repeat(64)}\n`)
    // As after a crash: what was committed last is in the WAL alone.
    const crashed = new Database(to.database)
    crashed.run('pragma wal_autocheckpoint = 0')
    crashed.run("update posts set text = 'last' where id = 2")
    const wal = readFileSync(`${to.database}-wal`)
    const main = readFileSync(to.database)
    crashed.close()
    writeFileSync(to.database, main)
    writeFileSync(`${to.database}-wal`, wal)

    writeBackup(from, { file: backupFile(), ...fresh })
    const kept = restoreBackup(backupFile(), to)
    expect(await postsIn(to)).toEqual([1])
    expect(readFileSync(to.secret, 'utf8')).toBe(KEY)
    expect(mode(kept!)).toBe(0o700)
    const old = { database: join(kept!, 'sns.db'), secret: join(kept!, 'sns.db.secret') }
    using database = new Database(old.database)
    expect(database.query('select id, text from posts').all()).toEqual([{ id: 2, text: 'last' }])
    expect(readFileSync(old.secret, 'utf8')).toStartWith('bbb')
    expect(existsSync(`${to.database}.restoring`)).toBe(false)
  })

  test('keeps a database that is broken too, its WAL with it', async () => {
    const [from, to] = [files('live'), files('target')]
    await keep(from, 1, null)
    await keep(to, 2)
    writeFileSync(to.database, 'no database any more '.repeat(100))
    writeFileSync(`${to.database}-wal`, 'nor a log')
    writeBackup(from, { file: backupFile(), ...fresh })
    const kept = restoreBackup(backupFile(), to)
    expect(readdirSync(kept!).sort()).toEqual(['sns.db', 'sns.db-wal', 'sns.db.secret'])
    expect(await postsIn(to)).toEqual([1])
    // The backup has no key, so the old one signs nothing any more.
    expect(existsSync(to.secret)).toBe(false)
  })

  test('is refused while a process uses the database', async () => {
    const [from, to] = [files('live'), files('target')]
    await keep(from, 1)
    await keep(to, 2)
    writeBackup(from, { file: backupFile(), ...fresh })
    {
      using _lock = lockForProcess(to.database)
      expect(() => restoreBackup(backupFile(), to)).toThrow('is in use by another sns process')
    }
    expect(await postsIn(to)).toEqual([2])
  })

  test('touches nothing where the file is damaged or no backup', async () => {
    const [from, to] = [files('live'), files('target')]
    await keep(from, 1)
    await keep(to, 2)
    writeBackup(from, { file: backupFile(), ...fresh })
    const half = join(folder, 'half')
    copyFileSync(backupFile(), half)
    truncateSync(half, statSync(half).size / 2)
    expect(() => restoreBackup(half, to)).toThrow(/damaged|no backup/)
    writeFileSync(join(folder, 'letter'), 'Dear restore, '.repeat(500))
    expect(() => restoreBackup(join(folder, 'letter'), to)).toThrow('no backup')
    expect(() => restoreBackup(from.database, to)).toThrow('no backup')
    expect(() => restoreBackup(join(folder, 'nowhere'), to)).toThrow('does not exist')
    expect(await postsIn(to)).toEqual([2])
  })

  test('leaves a link to the database a link, and files private whatever the backup’s mode', async () => {
    const [from, to] = [files('live'), files('target')]
    await keep(from, 1)
    await keep(to, 2)
    writeBackup(from, { file: backupFile(), ...fresh })
    chmodSync(backupFile(), 0o644)
    const link = join(folder, 'link.db')
    symlinkSync(to.database, link)
    restoreBackup(backupFile(), { database: link, secret: `${link}.secret` })
    expect(await postsIn(to)).toEqual([1])
    expect(mode(to.database)).toBe(0o600)
  })
})
