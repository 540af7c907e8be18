import { secretFile } from '@sns/api/security/embedded-secret'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { serverRestoreSteps } from './backup/server-steps'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.restore

/**
 * Puts a backup where the settings have the embedded database, while no suite runs there, and keeps what was
 * there. On the servers it says what to run instead, and fails: nothing was restored.
 */
export const restore: Command = async ({ args, cutOffBySignals }) => {
  const { positionals } = readCommandLine(LINE, args)
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw misused(LINE, 'name one file')
  const { database } = loadSettings(environment, { role: LINE.role })
  if (database.kind === 'mysql') {
    console.log(serverRestoreSteps(database, file).join('\n'))
    throw new OperatorError('nothing was restored: follow the steps above')
  }
  const { restoreBackup } = await import('@sns/shared/adapters/sqlite/restore')
  const files = { database: database.path, secret: secretFile(database.path) }
  const kept = await cutOffBySignals(() => restoreBackup(file, files))
  console.log(
    `${database.path} is what ${file} holds${kept ? `; what was there is in ${kept}` : ''}`,
  )
}

if (import.meta.main)
  await runProgram('restore', withHelp(LINE, restore), { args: process.argv.slice(2) })
