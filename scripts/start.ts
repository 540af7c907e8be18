import { api } from '@sns/api/main'
import { cdcIndexer } from '@sns/cdc-indexer/main'
import { fanoutWorker } from '@sns/fanout-worker/main'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { serviceCommand } from '@sns/shared/runtime/service'
import { COMMAND_LINES } from './commands'
import { readCommandLine, withHelp } from './process/command-line'
import { suite } from './suite'

const LINE = COMMAND_LINES.start

const SERVICES: Readonly<Record<string, Command>> = {
  api: serviceCommand(api, 'api'),
  'fanout-worker': serviceCommand(fanoutWorker, 'fanout-worker'),
  'cdc-indexer': serviceCommand(cdcIndexer, 'cdc-indexer'),
}

/** Starts the named service, or all services in one process. */
export const start: Command = async (context) => {
  const { positionals } = readCommandLine(LINE, context.args)
  const [name, ...rest] = positionals
  const command = name === undefined ? serviceCommand(suite, 'suite') : SERVICES[name]
  if (!command || rest.length > 0) {
    const given = [name, ...rest].join(' ')
    throw new OperatorError(
      `there is no service "${given}": name one of ${Object.keys(SERVICES).join(', ')}, or none for all`,
      2,
    )
  }
  await command(context)
}

if (import.meta.main)
  await runProgram('start', withHelp(LINE, start), { args: process.argv.slice(2) })
