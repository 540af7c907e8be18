import { OperatorError } from '@sns/shared/errors/operator-error'
import { type DeadLetter, letterId } from '@sns/shared/ports/dead-letters'
import type { Backend } from '@sns/shared/runtime/backend-ports'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { chosenLetters } from './dlq/chosen-letters'
import { redrive } from './dlq/redrive'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { onServers } from './process/server-command'
import { createProgress } from './progress'

const ACTIONS = ['list', 'show', 'redrive', 'drop'] as const
type Action = (typeof ACTIONS)[number]

const LINE = COMMAND_LINES.dlq
const LIMIT = 100

interface Arguments {
  readonly action: Action
  /** Whole ids, or `posts/42`: all letters of a row. */
  readonly ids: readonly string[]
  readonly isAll: boolean
  readonly limit: number
}

/**
 * Dead letters: changes that the search index rejected. `redrive` gives them to it once more, with the versions
 * that they have; `drop` forgets them.
 */
export const dlq: Command = async ({ args, signal }) => {
  const wanted = readArguments(args)
  const command = {
    name: 'dlq',
    role: LINE.role,
    embedded: 'embedded, the index takes every document: dlq is for the servers',
  } as const
  await onServers(command, async (backend) => {
    const { deadLetters } = await backend.forIndex()
    const letters = await deadLetters.all()
    if (wanted.action === 'list') return list(letters, wanted.limit)
    const chosen = wanted.isAll ? letters : chosenLetters(letters, wanted.ids)
    if (wanted.action === 'show') {
      for (const letter of chosen)
        console.log(JSON.stringify({ id: letterId(letter), ...letter }, null, 2))
    } else if (wanted.action === 'drop') {
      await deadLetters.remove(chosen)
      console.log(`${chosen.length} dead letters dropped`)
    } else await redriveAll(backend, chosen, signal)
  })
}

function list(letters: readonly DeadLetter[], limit: number): void {
  for (const letter of letters.slice(0, limit)) {
    const { stage, attempts, at, reason } = letter
    console.log(
      `${letterId(letter)}  ${new Date(at).toISOString()}  ${stage}  tried ${attempts}  ${reason}`,
    )
  }
  const more = letters.length > limit ? `, the first ${limit} are shown: --limit N shows more` : ''
  console.log(`${letters.length} dead letters${more}`)
}

async function redriveAll(
  backend: Backend,
  letters: readonly DeadLetter[],
  signal: AbortSignal,
): Promise<void> {
  const [{ deadLetters }, { search, source }] = [
    await backend.forIndex(),
    await backend.forSearchVerify(),
  ]
  const deps = { deadLetters, search, source, now: Date.now }
  const count = { applied: 0, overtaken: 0, rejected: 0 }
  const progress = createProgress('letters')
  for (const [done, letter] of letters.entries()) {
    if (signal.aborted) throw new OperatorError('stopped; dlq redrive goes on with the rest', 130)
    const redriven = await redrive(deps, letter)
    count[redriven.outcome] += 1
    if (redriven.outcome === 'rejected') console.log(`${letterId(letter)}: ${redriven.reason}`)
    progress.update('redrive', done + 1, letters.length)
  }
  progress.stop()
  console.log(
    `${count.applied} applied, ${count.overtaken} overtaken by what is newer, ${count.rejected} rejected again`,
  )
  if (count.rejected > 0) throw new OperatorError('the index rejects some still', 1)
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = readCommandLine(LINE, args)
  const [name, ...ids] = positionals
  const action = ACTIONS.find((known) => known === name)
  if (!action) throw misused(LINE, `say ${ACTIONS.join(', ')}`)
  const { all: isAll = false, limit = String(LIMIT) } = values
  if (!/^[1-9]\d{0,6}$/.test(limit)) {
    throw misused(LINE, `--limit is "${limit}", not a number of at least 1`)
  }
  const takesAll = action === 'redrive' || action === 'drop'
  const isRight = action === 'list' ? ids.length === 0 && !isAll : ids.length > 0 !== isAll
  if (!isRight || (isAll && !takesAll) || (values.limit !== undefined && action !== 'list')) {
    throw misused(LINE, `${action} takes something else`)
  }
  return { action, ids, isAll, limit: Number(limit) }
}

if (import.meta.main) await runProgram('dlq', withHelp(LINE, dlq), { args: process.argv.slice(2) })
