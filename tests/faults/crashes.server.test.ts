import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
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
import { liveThroughTheMainJob, type Person, rareWord, signUp } from '../journey'
import { wholeFeed, wholeSearch } from '../paging'
import { startSteadyWriter } from './steady-writer'

if (hasAllTestServers && !stack) {
  console.log('SKIPPED: crashes need servers that may be killed: ../shared/stack/stack')
}

/** Time for a projection to catch up once everything runs again, consumers' back-off included. */
const CATCH_UP_MS = 60_000

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

  /** Writes while `disturb` runs; afterwards each projection holds exactly what was acknowledged. */
  async function expectNothingLost(disturb: (underway: () => Promise<void>) => Promise<void>) {
    const writer = await signUp(suite.url, 'writer')
    const late = await signUp(suite.url, 'late')
    for (const { client } of [reader, late]) {
      expect((await client.v1.users({ username: writer.username }).follow.put()).status).toBe(204)
    }
    // One follower has a timeline while posts come in, the other reads for the first time afterwards.
    const before = new Set(await wholeFeed(reader.client))
    const word = rareWord()
    const posts = startSteadyWriter(writer.client, word)
    const underway = async () => {
      const seen = posts.acknowledged.length
      await eventually(() => posts.acknowledged.length > seen + 10, {
        timeoutMs: CATCH_UP_MS,
        what: 'writes go on',
      })
    }
    await underway()
    await disturb(underway)
    await underway()
    await posts.stop()

    const wanted = [...posts.acknowledged].sort((a, b) => Number(b) - Number(a))
    const own = async (person: Person) =>
      (await wholeFeed(person.client)).filter((id) => !before.has(id))
    await eventually(async () => Bun.deepEquals(await own(reader), wanted), {
      timeoutMs: CATCH_UP_MS,
      what: 'the follower’s feed holds every acknowledged post, once, in order',
    })
    expect(await own(late)).toEqual(wanted)
    expect(await wholeFeed(writer.client)).toEqual(wanted)
    await eventually(
      async () => {
        const found = await wholeSearch(late.client, word)
        return Bun.deepEquals(found.sort(), [...wanted].sort())
      },
      { timeoutMs: CATCH_UP_MS, what: 'search finds every acknowledged post, once' },
    )
    await reader.client.v1.users({ username: writer.username }).follow.delete()
  }

  test.each([...SERVICE_NAMES])('of %s', async (name: ServiceName) => {
    await expectNothingLost(async () => {
      await suite.program(name).crash()
      await suite.restart(name)
    })
    await liveThroughTheMainJob(suite.url)
  })

  test.each([...STACK_SERVERS])('of %s', async (server) => {
    await expectNothingLost(async (underway) => {
      await stack!.kill(server)
      // Without MySQL nothing can be acknowledged; without the others writing goes on.
      if (server !== 'mysql') await underway()
      await stack!.start(server)
    })
    for (const name of suite.names) await suite.program(name).ready(suite.statusUrl(name))
    await liveThroughTheMainJob(suite.url)
  })
})
