import { afterAll, beforeAll, describe, test } from 'bun:test'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { STACK_SERVERS, stack } from '@sns/shared/testing/stack'
import {
  SERVICE_NAMES,
  type ServiceName,
  type SuiteProcess,
} from '../../scripts/process/suite-process'
import { liveThroughTheMainJob, type Person, signUp } from '../journey'
import { type ServerSuite, startServerSuite } from '../server-suite'
import { expectNoDrift, expectNothingLost } from './nothing-lost'

if (hasAllTestServers && !stack) {
  console.log('SKIPPED: crashes need servers that may be killed: ../shared/stack/stack')
}

describe.skipIf(!hasAllTestServers || !stack)('kill -9 in the middle of writes', () => {
  let running: ServerSuite
  let suite: SuiteProcess
  let reader: Person

  beforeAll(async () => {
    running = await startServerSuite()
    suite = running.suite
    reader = await signUp(suite.url, 'reader')
  })
  afterAll(() => running?.[Symbol.asyncDispose]())

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
      // Without MySQL no write can be acknowledged; without another store writes continue.
      if (server !== 'mysql') await underway()
      await stack!.start(server)
      for (const name of suite.names) await suite.program(name).ready(suite.statusUrl(name))
      await liveThroughTheMainJob(suite.url)
    })
  })

  test('and the index holds what the tables say', () => expectNoDrift(running.names))
})
