import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { environment } from '@sns/shared/config/environment'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.init

/** The secrets that compose needs, and that have no default: files of the folder `secrets`. */
export const SECRETS = [
  'mysql-root-password',
  'redis-password',
  'es-password',
  'grafana-password',
  'secret-key',
  'operator-token',
] as const

const SECRET_BYTES = 24
/** Nobody else enters the folder. Its files are mounted in containers, whose users are not its owner. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o444

/**
 * Writes each secret that `secrets` in this folder lacks, for its owner alone; one that `.env` has, as earlier versions
 * made it, is taken from there. A secret that is there stays.
 */
export const init: Command = async ({ args }) => {
  refuseOperands(LINE, readCommandLine(LINE, args).positionals)
  const folder = resolve('secrets')
  const missing = SECRETS.filter((name) => !existsSync(join(folder, name)))
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE })
    for (const name of missing) {
      const known = environment[name.toUpperCase().replaceAll('-', '_')]
      const secret = known || randomBytes(SECRET_BYTES).toString('hex')
      // Another one is never written over, also where it appears at this moment.
      writeFileSync(join(folder, name), `${secret}\n`, { flag: 'wx', mode: FILE_MODE })
    }
  } catch (error) {
    throw new OperatorError(`${folder} cannot be written (${asError(error).message})`)
  }
  console.log(
    missing.length === 0
      ? `${folder} has all ${SECRETS.length} secrets: nothing was written`
      : `wrote ${missing.length} secrets into ${folder}, which nobody else may open`,
  )
}

if (import.meta.main)
  await runProgram('init', withHelp(LINE, init), { args: process.argv.slice(2) })
