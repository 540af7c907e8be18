import { expect } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { spawnProgram } from '../../scripts/process/program-process'
import { type Person, rareWord, signUp } from '../journey'
import { wholeFeed, wholeSearch } from '../paging'
import { type SteadyReader, startSteadyReader } from './steady-reader'
import { startSteadyWriter } from './steady-writer'

/** Time for a projection to catch up once everything runs again, consumers' back-off included. */
const CATCH_UP_MS = 60_000

export interface Disturbance {
  /** Resolves once ten more posts are acknowledged. */
  readonly underway: () => Promise<void>
  /** Reads the follower's feed all the time. */
  readonly reads: SteadyReader
}

/**
 * Writes and reads while `disturb` runs. Meanwhile `reader`'s feed, where it is answered, shows only what
 * was written, in order; afterwards each projection holds exactly what was acknowledged.
 */
export async function expectNothingLost(
  url: string,
  reader: Person,
  disturb: (disturbance: Disturbance) => Promise<void>,
): Promise<void> {
  const writer = await signUp(url, 'writer')
  const late = await signUp(url, 'late')
  for (const { client } of [reader, late]) {
    expect((await client.v1.users({ username: writer.username }).follow.put()).status).toBe(204)
  }
  // One follower has a timeline while posts come in, the other reads for the first time afterwards.
  const before = new Set(await wholeFeed(reader.client))
  const word = rareWord()
  const posts = startSteadyWriter(writer.client, word)
  const reads = startSteadyReader(reader.client)
  const underway = async () => {
    const seen = posts.acknowledged.length
    await eventually(() => posts.acknowledged.length > seen + 10, {
      timeoutMs: CATCH_UP_MS,
      what: 'writes continue',
    })
  }
  await underway()
  await disturb({ underway, reads })
  await underway()
  await posts.stop()
  await reads.stop()

  const wanted = [...posts.acknowledged].sort((a, b) => Number(b) - Number(a))
  const own = async (person: Person) =>
    (await wholeFeed(person.client)).filter((id) => !before.has(id))
  await eventually(async () => Bun.deepEquals(await own(reader), wanted), {
    timeoutMs: CATCH_UP_MS,
    what: 'the follower’s feed holds every acknowledged post, once, in order',
  })
  const known = new Set([...before, ...wanted])
  expect([...reads.shown].filter((id) => !known.has(id))).toEqual([])
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

/** `search verify --all` finds every row in the index as it is, and nothing else there. */
export async function expectNoDrift({ env }: ServerNames): Promise<void> {
  await using verify = spawnProgram('search', ['verify', '--all'], env)
  const code = await verify.exited
  expect(code === 0 ? '' : verify.output()).toBe('')
  expect(verify.output()).toMatch(
    /[1-9][\d,]* rows and [1-9][\d,]* documents compared, 0 missing or different, 0 without a row/,
  )
}
