import { secretFile } from '@sns/api/security/embedded-secret'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { serverBackupSteps } from './backup/server-steps'

/**
 * Copies the embedded database and its key into one file, while a suite runs on them or not. On the servers it
 * says what to run instead, and fails: nothing was backed up.
 */
export const backup: Command = async ({ args }) => {
  const { file, overwrite } = readArguments(args)
  const { database } = loadSettings(environment, { role: 'backup' })
  if (database.kind === 'mysql') {
    console.log(serverBackupSteps(database, file).join('\n'))
    throw new OperatorError('nothing was backed up: run the command above')
  }
  const { writeBackup } = await import('@sns/shared/adapters/sqlite/backup')
  const files = { database: database.path, secret: secretFile(database.path) }
  const hasKey = writeBackup(files, { file, overwrite })
  console.log(
    `${database.path} is backed up to ${file}${hasKey ? ', with the key that signs tokens' : '; it has no key beside it: keep your SECRET_KEY too'}`,
  )
}

function readArguments(args: readonly string[]): {
  readonly file: string
  readonly overwrite: boolean
} {
  const [file, ...more] = args.filter((arg) => arg !== '--overwrite')
  if (file === undefined || more.length > 0 || file.startsWith('-')) {
    throw new OperatorError('usage: backup FILE [--overwrite]', 2)
  }
  return { file, overwrite: args.includes('--overwrite') }
}

if (import.meta.main) await runProgram('backup', backup, { args: process.argv.slice(2) })
