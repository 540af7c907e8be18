import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.init

/** The secrets that compose needs, and that have no default. */
export const SECRETS = [
  'MYSQL_ROOT_PASSWORD',
  'MYSQL_PASSWORD',
  'REDIS_PASSWORD',
  'ES_PASSWORD',
  'GRAFANA_PASSWORD',
  'SECRET_KEY',
] as const

const SECRET_BYTES = 24

/** Writes `.env` in this folder, for its owner alone, unless there is one: then nothing is written. */
export const init: Command = async ({ args }) => {
  refuseOperands(LINE, readCommandLine(LINE, args).positionals)
  const file = resolve('.env')
  const lines = [
    '# Made by init. Keep it: without SECRET_KEY every session ends, without the passwords the servers stay shut.',
    '# .env.example lists every other setting.',
    ...SECRETS.map((name) => `${name}=${randomBytes(SECRET_BYTES).toString('hex')}`),
    '',
  ]
  try {
    // Another one is never written over, also where it appears at this moment.
    writeFileSync(file, lines.join('\n'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new OperatorError(
      isThere
        ? `${file} is there already: nothing was written. To begin anew, move it away first; servers that were started with it keep its passwords`
        : `${file} cannot be written (${asError(error).message})`,
    )
  }
  console.log(`wrote ${file} with ${SECRETS.length} secrets, readable by you alone`)
}

if (import.meta.main)
  await runProgram('init', withHelp(LINE, init), { args: process.argv.slice(2) })
