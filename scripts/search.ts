import { parseArgs } from 'node:util'
import { sleep } from '@sns/shared/async/sleep'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { createProgress } from './progress'
import { type SearchVerifyDeps, verifyAll, verifySample } from './search/verify'

const USAGE = 'usage: search verify --sample N | --all'
const SHOWN = 20
const LOOK_AGAIN_MS = 1_000

/**
 * `verify` compares the search index with the tables, both ways, and ends with 1 where they differ. It may run
 * beside the suite, be stopped and be run again.
 */
export const search: Command = async ({ args, signal }) => {
  const sample = readArguments(args)
  const settings = loadSettings(environment, { role: 'suite' })
  if (settings.database.kind === 'sqlite') {
    throw new OperatorError(
      'embedded, the index is in the database that the suite has open: search verify is for the servers',
      2,
    )
  }
  const logger = createLogger('search', settings.logLevel)
  const deps = { logger, metrics: createMetrics(), clock: systemClock }
  await using backend = await createBackend(settings, deps)
  const { search: index, searchSource: source } = await backend.forApi()
  const wait = () => sleep(LOOK_AGAIN_MS, signal)
  try {
    await verify({ search: index, source, wait }, sample, signal)
  } catch (error) {
    if (isSnsError(error)) throw new OperatorError(`search: ${error.message}`, 1, { cause: error })
    throw error
  }
}

async function verify(deps: SearchVerifyDeps, sample: number, signal: AbortSignal): Promise<void> {
  const reports = Number.isFinite(sample) ? verifySample(deps, sample) : verifyAll(deps)
  const progress = createProgress('compared')
  const drift = { missing: 0, extra: 0 }
  let [checked, shown] = [0, 0]
  for await (const report of reports) {
    if (signal.aborted) throw new OperatorError(`stopped after ${checked} comparisons`, 130)
    checked += report.checked
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
    progress.update(`${report.kind}s`, checked, Math.max(checked, Math.min(sample, 1e9)))
  }
  progress.stop()
  const count = (n: number) => n.toLocaleString('en')
  console.log(
    `${count(checked)} rows and documents compared, ${count(drift.missing)} missing or different, ${count(drift.extra)} without a row`,
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
  const { values, positionals } = parse(args)
  const { sample, all = false } = values
  if (positionals.length !== 1 || positionals[0] !== 'verify') throw new OperatorError(USAGE, 2)
  if (all === (sample !== undefined)) throw new OperatorError(`--sample N or --all; ${USAGE}`, 2)
  if (sample !== undefined && !/^[1-9]\d{0,8}$/.test(sample)) {
    throw new OperatorError(`--sample is "${sample}", not a number of rows; ${USAGE}`, 2)
  }
  return all ? Number.POSITIVE_INFINITY : Number(sample)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { sample: { type: 'string' }, all: { type: 'boolean' } },
    })
  } catch (error) {
    throw new OperatorError(`${asError(error).message}; ${USAGE}`, 2)
  }
}

if (import.meta.main) await runProgram('search', search, { args: process.argv.slice(2) })
