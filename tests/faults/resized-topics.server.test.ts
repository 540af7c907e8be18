import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { type ApiProcess, startApiProcess } from '../api-process'
import { type Person, signUp } from '../journey'
import { createMigratedNames, startWorker } from '../server-suite'
import { expectNoDrift, expectNothingLost } from './nothing-lost'

/** The longest that a command runs before it is killed: more than one takes that is not. */
const KILL_WITHIN_MS = 4_000
const KILLS = 3

describe.skipIf(!hasAllTestServers)('topics of another size while people write and read', () => {
  let names: ServerNames
  let api: ApiProcess
  let fanout: ProgramProcess
  let indexer: ProgramProcess
  let reader: Person

  beforeAll(async () => {
    names = await createMigratedNames()
    api = await startApiProcess(names.env)
    ;[fanout, indexer] = [
      await startWorker(names, 'fanout-worker'),
      await startWorker(names, 'cdc-indexer'),
    ]
    reader = await signUp(api.url, 'reader')
  }, 120_000)
  afterAll(async () => {
    for (const program of [indexer, fanout]) await program?.[Symbol.asyncDispose]()
    await api?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  }, 60_000)

  function repartition(partitions: number): ProgramProcess {
    return spawnProgram('repartition', [], { ...names.env, KAFKA_PARTITIONS: `${partitions}` })
  }

  test('more or fewer, with the command and capture killed at random moments: nothing is lost', async () => {
    await expectNothingLost(api.url, reader, async ({ underway }) => {
      await indexer.stop()
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await using command = repartition(kill % 2 === 0 ? 2 : 6)
        await Promise.race([command.exited, Bun.sleep(Math.random() * KILL_WITHIN_MS)])
        await command.crash()
        // Whichever topics it finds noted, it goes on with those.
        indexer = await startWorker(names, 'cdc-indexer')
        await underway()
        await indexer.crash()
      }
      const last = repartition(5)
      expect([await last.exited, last.output()]).toEqual([
        0,
        expect.stringContaining('of 5 partitions from now on'),
      ])
      indexer = await startWorker(names, 'cdc-indexer')
    })
    await expectNoDrift(names)
    await eventually(
      async () => (await spawnProgram('feeds', ['verify', '--all'], names.env).exited) === 0,
      { what: 'timelines hold what SQL has' },
    )
  }, 300_000)
})
