import { Database } from 'bun:sqlite'
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { createPrivateFile, syncToDisk } from './private-files'

/** What an embedded suite keeps: all that a backup holds. */
export interface EmbeddedFiles {
  readonly database: string
  /** Of the key that signs tokens; there is no such file where `SECRET_KEY` was always set. */
  readonly secret: string
}

export interface BackupOptions {
  /** Where the backup goes; its folder is there. */
  readonly file: string
  /** Replaces a file of that name; without, the backup is refused. */
  readonly overwrite: boolean
}

/** The key, kept as the one row of a table that a database of the suite does not have. */
const KEY_TABLE = 'backup_key'
const BUSY_MS = 5_000

/**
 * Copies a database as it is at one moment, and the key beside it, into one file: an ordinary SQLite
 * database, with a table more. Other processes may read and write meanwhile. The file appears whole or not at
 * all, and is its owner's alone. Resolves to whether there was a key to copy.
 */
export function writeBackup(from: EmbeddedFiles, { file, overwrite }: BackupOptions): boolean {
  if (!existsSync(from.database)) {
    throw new OperatorError(`DATABASE_URL: ${from.database} does not exist: nothing to back up`)
  }
  if (!overwrite && existsSync(file)) throw refuseToOverwrite(file)
  const part = `${file}.${process.pid}.part`
  removeLeftParts(file)
  try {
    createPrivateFile(part)
    copyDatabase(from.database, part)
    const key = existsSync(from.secret) ? readFileSync(from.secret, 'utf8') : null
    addKey(part, key)
    syncToDisk(part)
    putInPlace(part, file, overwrite)
    syncToDisk(dirname(resolve(file)))
    return key !== null
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`backup to ${file} failed: ${asError(error).message}`, 1, {
      cause: error,
    })
  } finally {
    rmSync(part, { force: true })
  }
}

/** What backups to this file left that were cut off. */
function removeLeftParts(file: string): void {
  const folder = dirname(resolve(file))
  for (const name of readdirSync(folder)) {
    const [, pid] = name.startsWith(`${basename(file)}.`) ? (/\.(\d+)\.part$/.exec(name) ?? []) : []
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Of one moment: what is committed, in the WAL too, and nothing of what is being written. */
function copyDatabase(path: string, into: string): void {
  using source = new Database(path, { readonly: true })
  source.run(`pragma busy_timeout = ${BUSY_MS}`)
  source.query('vacuum into ?').run(into)
}

function addKey(backup: string, key: string | null): void {
  using database = new Database(backup, { readwrite: true })
  database.run(`create table ${KEY_TABLE} (key text)`)
  database.query(`insert into ${KEY_TABLE} values (?)`).run(key)
}

function putInPlace(part: string, file: string, overwrite: boolean): void {
  if (overwrite) {
    renameSync(part, file)
    return
  }
  try {
    // A link never replaces what has come meanwhile.
    linkSync(part, file)
  } catch (error) {
    throw existsSync(file) ? refuseToOverwrite(file) : error
  }
}

function refuseToOverwrite(file: string): OperatorError {
  return new OperatorError(`${file} exists: name another file, or add --overwrite`)
}

/** Throws an `OperatorError` unless the file is a whole backup. */
export function checkBackup(file: string): void {
  if (!existsSync(file)) throw new OperatorError(`${file} does not exist: nothing to restore`)
  try {
    using backup = new Database(file, { readonly: true })
    const found = backup.query<{ quick_check: string }, []>('pragma quick_check(1)').get()
    if (found?.quick_check !== 'ok') {
      throw new OperatorError(`${file} is damaged (${found?.quick_check}): restore another backup`)
    }
    backup.query(`select key from ${KEY_TABLE}`).get()
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(
      `${file} is no backup that this command can read (${asError(error).message})`,
      1,
      { cause: error },
    )
  }
}

/** Takes the key out of a copy of a backup, which is a database of the suite from then on. */
export function takeKey(copy: string): string | null {
  using database = new Database(copy, { readwrite: true })
  const row = database.query<{ key: string | null }, []>(`select key from ${KEY_TABLE}`).get()
  database.run(`drop table ${KEY_TABLE}`)
  return row?.key ?? null
}
