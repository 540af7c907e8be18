import { createPasswords } from '@sns/api/security/passwords'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { startService } from '@sns/shared/runtime/service'
import graph from '../sample/graph.edges.gz' with { type: 'file' }
import posts from '../sample/posts.jsonl.gz' with { type: 'file' }
import { COMMAND_LINES } from './commands'
import { showSuite } from './demo/steps'
import { importFiles } from './import/importer'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'
import { createProgress } from './progress'
import { suite } from './suite'

const LINE = COMMAND_LINES.demo
const DATABASE_URL = 'sqlite:.demo/sns.db'
/** The users with the most followers in the sample. */
const PEOPLE = ['u1', 'u3', 'u4', 'u7', 'u6']

/**
 * The first program a newcomer runs: loads the sample into its own folder, starts the whole suite
 * in this process, shows each step with its time, then serves until it is stopped. `--exit` stops
 * after the steps. Fails unless every step gave the expected result.
 */
export const demo: Command = async ({ args, signal }) => {
  const { values, positionals } = readCommandLine(LINE, args)
  refuseOperands(LINE, positionals)
  const settings = loadSettings(
    { ...environment, DATABASE_URL, LOG_LEVEL: environment.LOG_LEVEL || 'warn' },
    { role: 'suite' },
  )
  const logger = createLogger('demo', settings.logLevel)
  const options = { logger, metrics: createMetrics(), clock: systemClock }

  console.log('\nsns: the whole suite in one process, no server needed\n')
  await loadSample()
  const startedAt = performance.now()
  await using service = await startService(suite, settings, options)
  line('started the suite', performance.now() - startedAt)
  for await (const { title, milliseconds, lines } of showSuite(service.url, PEOPLE)) {
    line(title, milliseconds)
    for (const text of lines) console.log(`             ${text}`)
  }
  if (values.exit) {
    console.log('\n  every step gave the expected result; without --exit the suite keeps serving\n')
    return
  }
  console.log(`
  api        ${service.url}
  docs       ${service.url}/swagger
  metrics    ${service.statusUrl}/metrics
  database   ${DATABASE_URL.slice('sqlite:'.length)}
`)
  console.log('  serving; Ctrl-C stops\n')
  await Promise.race([service.ended, new Promise((stop) => signal.addEventListener('abort', stop))])

  async function loadSample(): Promise<void> {
    const loadedAt = performance.now()
    await using backend = await createBackend(settings, options)
    const { loader } = await backend.forImport()
    const progress = createProgress('rows')
    const summary = await importFiles(
      { graph, posts: [posts], limitUsers: Number.POSITIVE_INFINITY },
      loader,
      {
        passwordHash: await createPasswords().hash(crypto.randomUUID(), { key: 'demo', signal }),
        signal,
        onProgress: progress.update,
      },
    )
    progress.stop()
    if (!summary.finished) throw new OperatorError('demo stopped; run it again to continue', 130)
    line(
      `loaded the sample: ${summary.users} users, ${summary.follows} follows, ${summary.posts} posts`,
      performance.now() - loadedAt,
    )
  }
}

function line(title: string, milliseconds: number): void {
  console.log(`${milliseconds.toFixed(1).padStart(9)} ms  ${title}`)
}

if (import.meta.main)
  await runProgram('demo', withHelp(LINE, demo), { args: process.argv.slice(2) })
