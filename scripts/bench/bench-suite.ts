import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@sns/shared/config/environment'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { removeAtExit } from '../process/leftovers'
import { freePort, type ProgramProcess, spawnProgram } from '../process/program-process'
import { startSuiteProcess } from '../process/suite-process'

/** A suite to measure: in a process of its own where embedded, in three on the servers. */
export interface BenchSuite {
  readonly kind: 'embedded' | 'servers'
  readonly env: Readonly<Record<string, string>>
  readonly secretKey: string
  /** Makes tables, topics and indexes where that is a step of its own. */
  prepare(): Promise<void>
  /** `more`: settings beside its own. */
  start(more?: Readonly<Record<string, string>>): Promise<RunningBenchSuite>
  dispose(): void
}

export interface RunningBenchSuite extends AsyncDisposable {
  readonly url: string
  /** The processes by name, for what each uses. */
  readonly programs: ReadonlyMap<string, ProgramProcess>
  /** Where the indexer's metrics are. */
  readonly indexerUrl: string
  /** Where the fan-out worker's are. */
  readonly fanoutUrl: string
}

const SERVER_SETTINGS = [
  'DATABASE_URL',
  'REDIS_URL',
  'KAFKA_BROKERS',
  'ES_URL',
  'ES_ID',
  'ES_PASSWORD',
  'KEY_PREFIX',
] as const

/** Embedded in a temporary folder, or on the servers that the settings name, in an empty database. */
export function createBenchSuite(): BenchSuite {
  const secretKey = crypto.randomUUID() + crypto.randomUUID()
  return environment.DATABASE_URL?.startsWith('mysql')
    ? createServersSuite(secretKey)
    : createEmbeddedSuite(secretKey)
}

function createEmbeddedSuite(secretKey: string): BenchSuite {
  const folder = removeAtExit(mkdtempSync(join(tmpdir(), 'sns-bench-')))
  const env = {
    DATABASE_URL: `sqlite:${folder}/sns.db`,
    SECRET_KEY: secretKey,
    LOG_LEVEL: 'warn',
  }
  return {
    kind: 'embedded',
    env,
    secretKey,
    async prepare() {},
    async start(more = {}) {
      const [port, metricsPort] = [freePort(), freePort()]
      const program = spawnProgram('start', [], {
        ...env,
        ...more,
        WEB_PORT: String(port),
        METRICS_PORT: String(metricsPort),
      })
      const url = `http://127.0.0.1:${port}`
      await program.ready(url)
      return {
        url,
        indexerUrl: `http://127.0.0.1:${metricsPort}`,
        fanoutUrl: `http://127.0.0.1:${metricsPort}`,
        programs: new Map([['sns (all in one)', program]]),
        [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
      }
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function createServersSuite(secretKey: string): BenchSuite {
  const given = SERVER_SETTINGS.flatMap((name) => {
    const value = environment[name]
    return value ? [[name, value] as const] : []
  })
  const env = { ...Object.fromEntries(given), SECRET_KEY: secretKey, LOG_LEVEL: 'warn' }
  return {
    kind: 'servers',
    env,
    secretKey,
    async prepare() {
      const migrate = spawnProgram('migrate', [], env)
      if ((await migrate.exited) !== 0) throw new OperatorError(migrate.output().trim())
    },
    async start(more = {}) {
      const suite = await startSuiteProcess({ ...env, ...more })
      return {
        url: suite.url,
        indexerUrl: suite.statusUrl('cdc-indexer'),
        fanoutUrl: suite.statusUrl('fanout-worker'),
        programs: new Map(suite.names.map((name) => [name, suite.program(name)])),
        [Symbol.asyncDispose]: () => suite[Symbol.asyncDispose](),
      }
    },
    dispose() {},
  }
}
