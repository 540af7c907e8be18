import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createClient } from '@sns/api/client'
import { createPasswords } from '@sns/api/security/passwords'
import { lockForProcess } from '@sns/shared/adapters/sqlite/process-lock'
import { whenAborted } from '@sns/shared/async/sleep'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { Settings } from '@sns/shared/config/program-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { assertFree } from '@sns/shared/runtime/http-listener'
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
const DATABASE_PATH = '.demo/sns.db'
const DATABASE_URL = `sqlite:${DATABASE_PATH}`
/** The password of the sample's users, made when they are loaded. */
const PASSWORD_FILE = '.demo/password'
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
  const newcomer = { username: `newcomer_${Date.now().toString(36)}`, password: shortPassword() }
  const logger = createLogger('demo', settings.logLevel)
  const options = { logger, metrics: createMetrics(), clock: systemClock }

  console.log('\nsns: the whole suite in one process, no server needed\n')
  assertAlone(settings)
  const samplePassword = keptPassword()
  await loadSample()
  const startedAt = performance.now()
  await using service = await startService(suite, settings, options)
  line('started the suite', performance.now() - startedAt)
  const steps = showSuite(service.url, newcomer, PEOPLE)
  for (;;) {
    const step = await unlessStopped(steps.next())
    if (step.done) break
    line(step.value.title, step.value.milliseconds)
    for (const text of step.value.lines) console.log(`             ${text}`)
  }
  if (values.exit) {
    console.log('\n  every step gave the expected result; without --exit the suite keeps serving\n')
    return
  }
  const token = await unlessStopped(signIn(service.url, newcomer))
  const sample = { username: PEOPLE[0] ?? '', password: samplePassword }
  const isSampleOpen = await unlessStopped(signIn(service.url, sample))
  console.log(`
  page       ${service.url}/
  api        ${service.url}
  docs       ${service.url}/swagger
  metrics    ${service.statusUrl}/metrics
  database   ${DATABASE_PATH}, of the demo alone: DATABASE_URL is for start

  sign in    as ${newcomer.username}, password ${newcomer.password}${isSampleOpen ? `\n             or as ${PEOPLE.join(', ')}, password ${samplePassword}` : ''}
  try        curl -s '${service.url}/v1/feed?limit=3' -H 'authorization: Bearer ${token}'
             the token lasts 15 minutes; POST ${service.url}/v1/auth/login gives another
`)
  console.log('  serving; Ctrl-C stops\n')
  await Promise.race([service.ended, whenAborted(signal)])

  /** Throws as soon as somebody asks the demo to stop, whatever is under way. */
  async function unlessStopped<T>(work: Promise<T>): Promise<T> {
    const value = await Promise.race([work, whenAborted(signal)])
    if (signal.aborted) throw stopped()
    return value as T
  }

  async function loadSample(): Promise<void> {
    const loadedAt = performance.now()
    await using backend = await createBackend(settings, options)
    const { loader } = await backend.forImport()
    const progress = createProgress('rows')
    const summary = await importFiles(
      { graph, posts: [posts], limitUsers: Number.POSITIVE_INFINITY },
      loader,
      {
        passwordHash: await createPasswords().hash(samplePassword, { key: 'demo', signal }),
        signal,
        onProgress: progress.update,
      },
    )
    progress.stop()
    if (!summary.finished) throw stopped()
    line(
      `loaded the sample: ${summary.users} users, ${summary.follows} follows, ${summary.posts} posts`,
      performance.now() - loadedAt,
    )
  }
}

/** Before anything is loaded: no other demo runs, and nothing else has its ports. */
function assertAlone({ address, statusAddress }: Settings): void {
  try {
    lockForProcess(DATABASE_PATH)[Symbol.dispose]()
  } catch (cause) {
    const problem = `${DATABASE_PATH} cannot be opened: stop the demo that runs already, or look at the folder's rights`
    throw new OperatorError(problem, 1, { cause })
  }
  assertFree(address)
  assertFree(statusAddress)
}

function stopped(): OperatorError {
  return new OperatorError('demo stopped; run it again to continue', 130)
}

function shortPassword(): string {
  return crypto.randomUUID().slice(0, 13)
}

function keptPassword(): string {
  try {
    writeFileSync(PASSWORD_FILE, shortPassword(), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!existsSync(PASSWORD_FILE)) throw error
  }
  return readFileSync(PASSWORD_FILE, 'utf8')
}

/** An access token; null where name and password do not open an account. */
async function signIn(
  url: string,
  account: { readonly username: string; readonly password: string },
): Promise<string | null> {
  const { data } = await createClient(url).v1.auth.login.post(account)
  return data?.accessToken ?? null
}

function line(title: string, milliseconds: number): void {
  console.log(`${milliseconds.toFixed(1).padStart(9)} ms  ${title}`)
}

if (import.meta.main)
  await runProgram('demo', withHelp(LINE, demo), { args: process.argv.slice(2) })
