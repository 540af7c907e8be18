import { sleep } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { onServers, readSample } from './process/server-command'
import { createProgress } from './progress'
import { type SearchVerifyDeps, verifyAll, verifySample } from './search/verify'

const LINE = COMMAND_LINES.search
const SHOWN = 20
const LOOK_AGAIN_MS = 1_000

/**
 * `verify` compares the search index with the tables, both ways, and ends with 1 where they differ. It may run
 * beside the suite, be stopped and be run again.
 */
export const search: Command = async ({ args, signal }) => {
  const sample = readArguments(args)
  const command = {
    name: 'search',
    role: LINE.role,
    embedded:
      'embedded, the index is in the database that the suite has open: search verify is for the servers',
  } as const
  await onServers(command, async (backend) => {
    const wait = () => sleep(LOOK_AGAIN_MS, signal)
    await verify({ ...(await backend.forSearchVerify()), wait }, sample, signal)
  })
}

async function verify(deps: SearchVerifyDeps, sample: number, signal: AbortSignal): Promise<void> {
  const reports = Number.isFinite(sample) ? verifySample(deps, sample) : verifyAll(deps)
  const progress = createProgress('rows')
  const drift = { missing: 0, extra: 0 }
  const compared = { rows: 0, documents: 0 }
  let shown = 0
  for await (const report of reports) {
    compared.rows += report.rows
    compared.documents += report.documents
    if (signal.aborted) throw new OperatorError(`stopped after ${compared.rows} rows`, 130)
    for (const { kind, id, what } of report.drift) {
      drift[what] += 1
      shown += 1
      if (shown > SHOWN) continue
      console.log(
        what === 'missing'
          ? `${kind} ${id}: the index lacks it or has it otherwise`
          : `${kind} ${id}: the index has it, and no table does`,
      )
    }
    progress.update('verify', Math.min(compared.rows, report.of), report.of)
  }
  progress.stop()
  const count = (n: number) => n.toLocaleString('en')
  console.log(
    `${count(compared.rows)} rows and ${count(compared.documents)} documents compared, ${count(drift.missing)} missing or different, ${count(drift.extra)} without a row`,
  )
  if (drift.missing + drift.extra > 0) {
    throw new OperatorError(
      'the search index is not what the tables say; docs/03-operations.md tells how to rebuild it',
      1,
    )
  }
}

/** How many of each kind; infinite: all. */
function readArguments(args: readonly string[]): number {
  const { values, positionals } = readCommandLine(LINE, args)
  if (positionals.join() !== 'verify') throw misused(LINE, 'say verify')
  const sample = readSample(values, LINE)
  if (sample === 0) throw misused(LINE, 'say how many, or --all')
  return sample
}

if (import.meta.main)
  await runProgram('search', withHelp(LINE, search), { args: process.argv.slice(2) })
