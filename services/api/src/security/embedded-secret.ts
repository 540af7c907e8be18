import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Settings } from '@sns/shared/config/program-settings'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

/** The key that signs tokens: `SECRET_KEY`, or in embedded mode the key kept on disk. */
export function signingKey({ secretKey, database }: Settings): string {
  if (secretKey !== null) return secretKey
  if (database.kind === 'sqlite') return embeddedSecret(database.path)
  throw new OperatorError('SECRET_KEY is missing: it signs access tokens', 2)
}

/** The file that keeps the key of an embedded database. */
export function secretFile(databasePath: string): string {
  return `${databasePath}.secret`
}

/**
 * Reads or makes the signing key of embedded mode, kept beside the database and readable by its
 * owner only. If several processes make one at the same time, one wins and all use it.
 */
export function embeddedSecret(databasePath: string): string {
  const file = secretFile(databasePath)
  try {
    return read(file) ?? create(file)
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(
      `${file} cannot be used (${asError(error).message}): mend its permissions or set SECRET_KEY`,
      1,
      { cause: error },
    )
  }
}

function create(file: string): string {
  const mine = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(mine, `${randomBytes(32).toString('hex')}\n`, {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  })
  try {
    // A hard link is made atomically and never replaces another process's file.
    linkSync(mine, file)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(mine, { force: true })
  }
  const kept = read(file)
  if (kept === null) throw new OperatorError(`${file} was removed while it was made: start again`)
  return kept
}

function read(file: string): string | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
  if (text.length < 32) {
    throw new OperatorError(
      `${file} holds no key of 32 characters: remove it to get a new one (everyone signs in anew) or set SECRET_KEY`,
    )
  }
  return text
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
