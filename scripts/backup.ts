import { secretFile } from '@sns/api/security/embedded-secret'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { serverBackupSteps } from './backup/server-steps'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.backup

/**
 * Copies the embedded database and its key into one file, while a suite runs on them or not. On the servers it
 * says what to run instead, and fails: nothing was backed up.
 */
export const backup: Command = async ({ args, cutOffBySignals }) => {
  const { values, positionals } = readCommandLine(LINE, args)
  const { overwrite = false } = values
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw misused(LINE, 'name one file')
  const { database } = loadSettings(environment, { role: LINE.role })
  if (database.kind === 'mysql') {
    console.log(serverBackupSteps(database, file).join('\n'))
    throw new OperatorError('nothing was backed up: run the command above')
  }
  const { writeBackup } = await import('@sns/shared/adapters/sqlite/backup')
  const files = { database: database.path, secret: secretFile(database.path) }
  const hasKey = await cutOffBySignals(() => writeBackup(files, { file, overwrite }))
  console.log(
    `${database.path} is backed up to ${file}${hasKey ? ', with the key that signs tokens' : '; it has no key beside it: keep your SECRET_KEY too'}`,
  )
}

if (import.meta.main)
  await runProgram('backup', withHelp(LINE, backup), { args: process.argv.slice(2) })
