import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@sns/shared/config/environment'
import { runChecks } from './check'
import { COMMAND_LINES } from './commands'
import { answersHelp } from './process/command-line'
import { NOTHING, type Outcome, outcomeOf, sum } from './test/outcome'
import { slowestFiles } from './test/slowest'
import { findTestFiles } from './test/test-files'

const root = join(import.meta.dir, '..')
const LOCAL_TIMEOUT_MS = 120_000
const SERVER_TIMEOUT_MS = 300_000
/** How many server tests run beside each other: they wait more than they compute. */
const LANES = 3

const SERVERS = {
  TEST_DATABASE_URL: 'MySQL',
  TEST_REDIS_URL: 'Redis',
  TEST_KAFKA_BROKERS: 'Kafka',
  TEST_ES_URL: 'Elasticsearch',
} as const

/**
 * Everything that can run here: the checks, the tests that need nothing (on all cores), then those on
 * the servers that `TEST_…` name: a few beside each other where each keeps to its own part of them, the rest one file
 * after the other. Arguments that are no flags choose files
 * by a part of their path, and leave the checks out; flags go to `bun test`. Says which files took longest. The last
 * line is `N passed, N failed`.
 */
async function test(args: readonly string[]): Promise<boolean> {
  const { filters, flags } = splitArguments(args)
  const files = findTestFiles(root, filters)
  const missing = Object.keys(SERVERS).filter((name) => !environment[name])

  const outcomes: Outcome[] = []
  if (filters.length === 0) outcomes.push(await checks())
  outcomes.push(await runFiles(files.local, LOCAL_TIMEOUT_MS, ['--parallel', ...flags]))
  outcomes.push(await runFiles(files.sharing, SERVER_TIMEOUT_MS, [`--parallel=${LANES}`, ...flags]))
  outcomes.push(await runFiles(files.alone, SERVER_TIMEOUT_MS, flags))
  const servers = files.sharing.length + files.alone.length
  if (files.local.length + servers === 0) {
    outcomes.push({
      ...NOTHING,
      failed: 1,
      problems: [`no test file matches ${filters.join(', ')}`],
    })
  }

  const { passed, failed, skipped, problems } = sum(outcomes)
  console.log('')
  for (const problem of problems) console.log(`FAILED: ${problem}`)
  if (missing.length > 0 && servers > 0) announceSkips(missing)
  if (skipped > 0) console.log(`${skipped} skipped`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0
}

async function checks(): Promise<Outcome> {
  return (await runChecks())
    ? { ...NOTHING, passed: 1 }
    : { ...NOTHING, failed: 1, problems: ['check: see above, or run `check`'] }
}

async function runFiles(
  files: readonly string[],
  timeoutMs: number,
  flags: readonly string[],
): Promise<Outcome> {
  if (files.length === 0) return NOTHING
  const folder = mkdtempSync(join(tmpdir(), 'sns-test-'))
  const report = Bun.file(join(folder, 'report.xml'))
  try {
    const runner = Bun.spawn(
      [
        process.execPath,
        'test',
        '--only-failures',
        `--timeout=${timeoutMs}`,
        '--reporter=junit',
        `--reporter-outfile=${report.name}`,
        ...flags,
        ...files.map((file) => `./${file}`),
      ],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
    )
    const exitCode = await runner.exited
    const text = (await report.exists()) ? await report.text() : null
    for (const line of slowestFiles(text ?? '')) console.log(line)
    // With a name pattern, files without such a test are left out on purpose.
    return outcomeOf({ files: flags.some(isNamePattern) ? [] : files, report: text, exitCode })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function splitArguments(args: readonly string[]): { filters: string[]; flags: string[] } {
  const filters: string[] = []
  const flags: string[] = []
  for (const [index, arg] of args.entries()) {
    const isFlagValue = ['-t', '--test-name-pattern'].includes(args[index - 1] ?? '')
    if (isFlagValue || arg.startsWith('-')) flags.push(arg)
    else filters.push(arg.replace(/^\.\//, ''))
  }
  return { filters, flags }
}

function isNamePattern(flag: string): boolean {
  return flag === '-t' || flag.startsWith('--test-name-pattern')
}

function announceSkips(missing: readonly string[]): void {
  const line = '='.repeat(78)
  console.log(line)
  console.log('SERVER TESTS WERE SKIPPED: they need real servers, and these are not set:')
  for (const name of missing) console.log(`  ${name}  (${SERVERS[name as keyof typeof SERVERS]})`)
  console.log(line)
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  process.exit(answersHelp(COMMAND_LINES.test, args) || (await test(args)) ? 0 : 1)
}
