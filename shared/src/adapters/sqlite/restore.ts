import { Database } from 'bun:sqlite'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { checkBackup, type EmbeddedFiles, takeKey } from './backup'
import { createPrivateFile, makePrivateFolder, syncToDisk } from './private-files'
import { lockForProcess } from './process-lock'

/**
 * Puts the database and the key of a backup where a suite is to find them. Refused while a process uses that
 * database. What was there is kept in a folder beside it, whose path is the answer; null where nothing was.
 * Cut off at any moment, it leaves the old database or the new one, and may be run again.
 */
export function restoreBackup(file: string, to: EmbeddedFiles): string | null {
  checkBackup(file)
  using _lock = lockForProcess(to.database)
  // A link to the database goes on leading to it.
  const database = existsSync(to.database) ? realpathSync(to.database) : to.database
  const [newDatabase, newSecret] = [`${database}.restoring`, `${to.secret}.restoring`]
  try {
    makePrivateFolder(database)
    for (const left of [newDatabase, newSecret]) rmSync(left, { force: true })
    createPrivateFile(newDatabase)
    copyFileSync(file, newDatabase)
    // A copy takes over the mode of what it copies.
    chmodSync(newDatabase, 0o600)
    const key = takeKey(newDatabase)
    syncToDisk(newDatabase)
    if (key !== null) writeFileSync(newSecret, key, { mode: 0o600, flag: 'wx', flush: true })

    const kept = keepAside({ database, secret: to.secret })
    renameSync(newDatabase, database)
    if (key === null) rmSync(to.secret, { force: true })
    else renameSync(newSecret, to.secret)
    syncToDisk(dirname(resolve(database)))
    return kept
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`restore of ${file} failed: ${asError(error).message}`, 1, {
      cause: error,
    })
  } finally {
    for (const left of [newDatabase, newSecret]) rmSync(left, { force: true })
  }
}

/** Keeps database and key in a folder of their own, under their names, so that a suite can run on them. */
function keepAside({ database, secret }: EmbeddedFiles): string | null {
  const wal = `${database}-wal`
  const there = [database, wal, secret].filter((path) => existsSync(path))
  if (there.length === 0) return null
  const folder = mkdtempSync(`${database}.before-restore-`)
  const aside = (path: string) => join(folder, basename(path))
  // Linked, not moved: until the new one takes its name, the old database is where it was.
  for (const path of there) linkSync(path, aside(path))
  if (settle(database)) rmSync(aside(wal), { force: true })
  // The WAL of a database that could not be settled must not meet the new one.
  for (const path of [wal, `${database}-shm`]) rmSync(path, { force: true })
  syncToDisk(folder)
  return folder
}

/** Brings what is in the WAL into the database, so that one file is all of it; says whether it could. */
function settle(path: string): boolean {
  try {
    using database = new Database(path, { readwrite: true })
    return database.query('pragma journal_mode = delete').values()[0]?.[0] === 'delete'
  } catch {
    // Broken, or not there: that may be why something is restored.
    return false
  }
}
