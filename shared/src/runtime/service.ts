import { sleep, whenAborted } from '../async/sleep'
import { environment } from '../config/environment'
import { loadSettings } from '../config/load-settings'
import type { Settings } from '../config/program-settings'
import type { Role } from '../config/settings'
import { type Clock, systemClock } from '../domain/clock'
import { OperatorError } from '../errors/operator-error'
import { createLogger, type Logger } from '../observability/logger'
import { createMetrics, type Metrics } from '../observability/metrics'
import type { HealthCheck } from '../ports/health'
import { createBackend } from './backend'
import type { Backend } from './backend-ports'
import { type ListeningApp, listen } from './http-listener'
import { createJobRunner, type Job } from './job'
import { logLife } from './life-log'
import { createOperatorAccess } from './operator-access'
import { isOneOfProcesses, runProcesses, stopWithStarter } from './processes'
import type { Command } from './program'
import { createReadiness, type Readiness } from './readiness'
import { limitRuntimeMemory } from './runtime-memory'
import { createStatusApp, type StatusDeps } from './status-app'
import { VERSION } from './version'

export interface ServiceContext {
  readonly settings: Settings
  readonly backend: Backend
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
}

/** What a service consists of, once its stores are open. */
interface ServiceParts {
  readonly jobs: readonly Job[]
  readonly health: readonly HealthCheck[]
  /** For operators, where the service keeps something of the database. */
  readonly verifyMemory?: StatusDeps['verifyMemory']
  /** Answers clients, on the port for them; a service without it has the port for operators alone. */
  readonly app?: (state: ServiceState) => ListeningApp
}

interface ServiceState {
  readonly readiness: () => Promise<Readiness>
  /** Aborts when the service is about to stop: it still answers, and asks clients to leave. */
  readonly leaving: AbortSignal
}

export interface ServiceSpec {
  readonly name: string
  /** Bytes of memory that the runtime is to take the machine to have where this service is alone in its process. */
  readonly runtimeMemory?: number
  readonly assemble: (context: ServiceContext) => Promise<ServiceParts>
}

interface ServiceOptions {
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly clock?: Clock
}

/** Disposing answers what is in flight, lets the jobs finish and closes the stores. */
interface RunningService extends AsyncDisposable {
  /** Where clients are answered, or operators in a service that has no clients. */
  readonly url: string
  /** Where operators ask: `/livez`, `/readyz` with details and `/metrics`. */
  readonly statusUrl: string
  /** Rejects when a job fails; resolves when the service was disposed of. */
  readonly ended: Promise<void>
  /**
   * Announces the stop: the service is not ready any more and still answers. Resolves after
   * `leaveMs`, when the proxy has had time to route requests elsewhere.
   */
  leave(): Promise<void>
  /** `DRAIN_DELAY`; 0 in a service that has no clients. */
  readonly leaveMs: number
}

/** Starts a service in this process and resolves when it answers. */
export async function startService(
  spec: ServiceSpec,
  settings: Settings,
  options: ServiceOptions = {},
): Promise<RunningService> {
  const { clock = systemClock, metrics = createMetrics() } = options
  const logger = options.logger ?? createLogger(spec.name, settings.logLevel)
  await using opened = new AsyncDisposableStack()

  const backend = opened.use(await createBackend(settings, { logger, metrics, clock }))
  const parts = await spec.assemble({ settings, backend, logger, metrics, clock })
  const runner = createJobRunner([...backend.jobs, ...parts.jobs], logger)
  const [leave, stop] = [new AbortController(), new AbortController()]
  const leaving = leave.signal
  const readiness = createReadiness([...parts.health, runner.health], { leaving })
  // Before the jobs begin, so that an address in use disturbs nothing.
  const { verifyMemory } = parts
  const operators = createOperatorAccess({ token: settings.operatorToken })
  const status = opened.use(
    listen(
      createStatusApp({ metrics, readiness, operators, verifyMemory }),
      settings.statusAddress,
    ),
  )
  const listener = parts.app ? listen(parts.app({ readiness, leaving }), settings.address) : null
  const ended = runner.run(stop.signal)
  ended.catch(() => {})
  const told = logLife({ name: spec.name, logger, readiness }, leaving)
  opened.defer(async () => {
    leave.abort()
    stop.abort()
    await Promise.allSettled([listener?.[Symbol.asyncDispose](), ended, told])
  })

  const leaveMs = listener ? settings.drainDelay * 1_000 : 0
  const statusUrl = status.url
  const url = listener?.url ?? statusUrl
  logger.info({ url, statusUrl, version: VERSION }, `${spec.name} ${VERSION} listens at ${url}`)
  const resources = opened.move()
  return {
    url,
    statusUrl,
    ended,
    async leave() {
      logger.info({ leaveMs }, `${spec.name} is stopping`)
      leave.abort()
      await sleep(leaveMs, stop.signal)
    },
    leaveMs,
    async [Symbol.asyncDispose]() {
      await resources.disposeAsync()
      logger.info(`${spec.name} has stopped`)
    },
  }
}

/** Runs a service by the environment until it is asked to stop or a job of it fails. */
export function serviceCommand(spec: ServiceSpec, role: Role): Command {
  return async (context) => {
    const { signal, extendDrain } = context
    const settings = loadSettings(environment, { role })
    if (settings.database.kind === 'sqlite' && role !== 'suite') {
      throw new OperatorError(
        `start ${role} needs DATABASE_URL=mysql://…: embedded mode runs all services in one process, by start alone`,
        2,
      )
    }
    if (spec.runtimeMemory !== undefined) limitRuntimeMemory(spec.runtimeMemory)
    const { apiProcesses } = settings
    if (apiProcesses > 1 && role === 'suite') {
      throw new OperatorError('API_PROCESSES is for start api: start alone is one process', 2)
    }
    const isShared = apiProcesses > 1 && isOneOfProcesses()
    if (apiProcesses > 1 && !isShared) return runProcesses(settings, apiProcesses, context)
    if (isShared) stopWithStarter()
    const address = { ...settings.address, isShared }
    await using service = await startService(spec, { ...settings, address })
    extendDrain(service.leaveMs)
    await Promise.race([service.ended, whenAborted(signal)])
    // At a terminal no proxy needs time to route requests elsewhere.
    if (signal.reason !== 'SIGINT') await Promise.race([service.ended, service.leave()])
  }
}
