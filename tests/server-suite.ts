import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { freePort, type ProgramProcess, spawnProgram } from '../scripts/process/program-process'
import { type SuiteProcess, startSuiteProcess } from '../scripts/process/suite-process'

export interface ServerSuite extends AsyncDisposable {
  readonly names: ServerNames
  readonly suite: SuiteProcess
}

/** Unique names on the test servers, or on another MySQL, migrated. */
export async function createMigratedNames(mysqlUrl?: string): Promise<ServerNames> {
  await using opened = new AsyncDisposableStack()
  const names = opened.use(await createServerNames(mysqlUrl))
  await using migrate = spawnProgram('migrate', [], names.env)
  if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  opened.move()
  return names
}

/** The three services on the test servers, with unique names: migrated, started and ready. */
export async function startServerSuite(): Promise<ServerSuite> {
  await using opened = new AsyncDisposableStack()
  const names = opened.use(await createMigratedNames())
  const suite = opened.use(await startSuiteProcess(names.env))
  const resources = opened.move()
  return { names, suite, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** One more worker on the names, ready; `url` is where it answers operators. */
export async function startWorker(
  { env }: ServerNames,
  name: 'fanout-worker' | 'cdc-indexer',
): Promise<ProgramProcess & { readonly url: string }> {
  const port = freePort()
  const program = spawnProgram('start', [name], { ...env, METRICS_PORT: String(port) })
  const url = `http://127.0.0.1:${port}`
  await program.ready(url)
  return Object.assign(program, { url })
}
