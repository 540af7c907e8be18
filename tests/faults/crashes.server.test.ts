import { afterAll, beforeAll, describe, test } from 'bun:test'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { STACK_SERVERS, stack } from '@sns/shared/testing/stack'
import { spawnProgram } from '../../scripts/process/program-process'
import {
  SERVICE_NAMES,
  type ServiceName,
  type SuiteProcess,
  startSuiteProcess,
} from '../../scripts/process/suite-process'
import { liveThroughTheMainJob, type Person, signUp } from '../journey'
import { expectNothingLost } from './nothing-lost'

if (hasAllTestServers && !stack) {
  console.log('SKIPPED: crashes need servers that may be killed: ../shared/stack/stack')
}

describe.skipIf(!hasAllTestServers || !stack)('kill -9 in the middle of writes', () => {
  let names: ServerNames
  let suite: SuiteProcess
  let reader: Person

  beforeAll(async () => {
    names = await createServerNames()
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
    suite = await startSuiteProcess(names.env)
    reader = await signUp(suite.url, 'reader')
  })
  afterAll(async () => {
    await suite?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  test.each([...SERVICE_NAMES])('of %s', async (name: ServiceName) => {
    await expectNothingLost(suite.url, reader, async () => {
      await suite.program(name).crash()
      await suite.restart(name)
      await liveThroughTheMainJob(suite.url)
    })
  })

  test.each([...STACK_SERVERS])('of %s', async (server) => {
    await expectNothingLost(suite.url, reader, async ({ underway }) => {
      await stack!.kill(server)
      // Without MySQL nothing can be acknowledged; without the others writing goes on.
      if (server !== 'mysql') await underway()
      await stack!.start(server)
      for (const name of suite.names) await suite.program(name).ready(suite.statusUrl(name))
      await liveThroughTheMainJob(suite.url)
    })
  })
})
