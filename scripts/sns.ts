import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { withHelp } from './process/command-line'

/** The commands of the executable, by the first word on its command line. */
const COMMANDS = {
  demo: async () => (await import('./demo')).demo,
  start: async () => (await import('./start')).start,
  grant: async () => (await import('./grant')).grant,
  migrate: async () => (await import('./migrate')).migrate,
  import: async () => (await import('./import')).importCommand,
  feeds: async () => (await import('./feeds')).feeds,
  search: async () => (await import('./search')).search,
  reindex: async () => (await import('./reindex')).reindex,
  dlq: async () => (await import('./dlq')).dlq,
  snapshot: async () => (await import('./snapshot')).snapshot,
  repartition: async () => (await import('./repartition')).repartition,
  backup: async () => (await import('./backup')).backup,
  restore: async () => (await import('./restore')).restore,
  'move-to-servers': async () => (await import('./move-to-servers')).moveToServers,
} satisfies Partial<Record<keyof typeof COMMAND_LINES, () => Promise<Command>>>

type Name = keyof typeof COMMANDS
const NAMES = Object.keys(COMMANDS).filter((name): name is Name => name in COMMANDS)
const WIDTH = Math.max(...NAMES.map((name) => name.length))

const HELP = {
  usage: ['sns COMMAND …'],
  summary: [
    'A social feed backend. The commands, each with --help',
    '',
    ...NAMES.map((name) => `  ${name.padEnd(WIDTH)}  ${COMMAND_LINES[name].summary}`),
    '',
    'Settings come from the environment or .env',
  ].join('\n'),
  options: {},
} as const

const [word = '', ...args] = process.argv.slice(2)
const name = NAMES.find((known) => known === word)
const isHelp = ['', 'help'].includes(word)
await (name
  ? runProgram(name, withHelp(COMMAND_LINES[name], await COMMANDS[name]()), { args })
  : runProgram('sns', withHelp(HELP, unknown), { args: isHelp ? ['--help'] : [word] }))

async function unknown(): Promise<void> {
  throw new OperatorError(
    `there is no command "${word}": sns help lists them (${NAMES.join(', ')})`,
    2,
  )
}
