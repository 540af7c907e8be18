import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { spawnProgram } from '../scripts/process/program-process'
import { type SuiteProcess, startSuiteProcess } from '../scripts/process/suite-process'

export interface ServerSuite extends AsyncDisposable {
  readonly names: ServerNames
  readonly suite: SuiteProcess
}

/** Unique names on the test servers, migrated. */
export async function createMigratedNames(): Promise<ServerNames> {
  await using opened = new AsyncDisposableStack()
  const names = opened.use(await createServerNames())
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
