import { freePort, type ProgramProcess, spawnProgram } from './program-process'

/** The suite as separate programs on settings of its own. */
export interface SuiteProcess extends AsyncDisposable {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly names: readonly ServiceName[]
  program(name: ServiceName): ProgramProcess
  /** Where a program answers /readyz with details and /metrics. */
  statusUrl(name: ServiceName): string
  /** Starts a program again after it was crashed or stopped, and waits until it is ready. */
  restart(name: ServiceName): Promise<void>
}

export const SERVICE_NAMES = ['api', 'fanout-worker', 'cdc-indexer'] as const
export type ServiceName = (typeof SERVICE_NAMES)[number]

/** Starts the three services and waits until all are ready; `env` says which servers and names. */
export async function startSuiteProcess(
  env: Readonly<Record<string, string>>,
): Promise<SuiteProcess> {
  const webPort = freePort()
  const ports = Object.fromEntries(SERVICE_NAMES.map((name) => [name, freePort()])) as Record<
    ServiceName,
    number
  >
  const running = new Map<ServiceName, ProgramProcess>()
  const statusUrl = (name: ServiceName) => `http://127.0.0.1:${ports[name]}`

  async function start(name: ServiceName): Promise<void> {
    const program = spawnProgram('start', [name], {
      ...env,
      WEB_PORT: String(webPort),
      METRICS_PORT: String(ports[name]),
    })
    running.set(name, program)
    await program.ready(statusUrl(name))
  }

  const suite: SuiteProcess = {
    url: `http://127.0.0.1:${webPort}`,
    env,
    names: SERVICE_NAMES,
    program(name) {
      const program = running.get(name)
      if (!program) throw new Error(`${name} was never started`)
      return program
    },
    statusUrl,
    restart: start,
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((program) => program.crash()))
    },
  }
  try {
    await Promise.all(SERVICE_NAMES.map(start))
    return suite
  } catch (error) {
    await suite[Symbol.asyncDispose]()
    throw error
  }
}
