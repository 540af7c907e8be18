import { Database } from 'bun:sqlite'
import { existsSync, realpathSync } from 'node:fs'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { codeOf } from './errors'
import { ensurePrivateFile, makePrivateFolder } from './private-files'

/**
 * Holds a database for one process: an exclusive SQLite lock on an empty file beside it, which the
 * kernel lets go of however the process ends. Throws an `OperatorError` where another holds it.
 */
export function lockForProcess(databasePath: string): Disposable {
  // Links are resolved, so that one database cannot be locked under two names.
  const file = `${existsSync(databasePath) ? realpathSync(databasePath) : databasePath}.lock`
  let lock: Database | null = null
  try {
    makePrivateFolder(file)
    ensurePrivateFile(file)
    lock = new Database(file, { create: true, readwrite: true })
    lock.run('pragma busy_timeout = 0')
    lock.run('begin exclusive')
  } catch (error) {
    lock?.close()
    throw new OperatorError(
      codeOf(error) === 'SQLITE_BUSY'
        ? `${databasePath} is in use by another sns process: stop that one, or give this one another DATABASE_URL`
        : `DATABASE_URL: ${file} cannot be made (${asError(error).message}); check the path and its permissions`,
      1,
      { cause: error },
    )
  }
  const held = lock
  return { [Symbol.dispose]: () => held.close() }
}
