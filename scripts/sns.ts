import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'

/** The commands of the executable, by the first word on its command line. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo')).demo,
  start: async () => (await import('./start')).start,
  migrate: async () => (await import('./migrate')).migrate,
  import: async () => (await import('./import')).importCommand,
  feeds: async () => (await import('./feeds')).feeds,
  search: async () => (await import('./search')).search,
  reindex: async () => (await import('./reindex')).reindex,
  dlq: async () => (await import('./dlq')).dlq,
  snapshot: async () => (await import('./snapshot')).snapshot,
  backup: async () => (await import('./backup')).backup,
  restore: async () => (await import('./restore')).restore,
}

const [name = '', ...args] = process.argv.slice(2)
const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
await runProgram(name || 'sns', load ? await load() : explain, { args })

async function explain(): Promise<void> {
  const usage = `usage: sns ${Object.keys(COMMANDS).join(' | sns ')}`
  if (!['', 'help', '--help', '-h'].includes(name)) {
    throw new OperatorError(`there is no command "${name}"; ${usage}`, 2)
  }
  console.log(usage)
}
