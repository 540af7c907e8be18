import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import type { ProgramProcess } from '../../scripts/process/program-process'
import { type ApiProcess, startApiProcess } from '../api-process'
import { type Person, signUp } from '../journey'
import { createMigratedNames, startWorker } from '../server-suite'

const WITHIN = { timeoutMs: 60_000 }

describe.skipIf(!hasAllTestServers)('while a part of the pipeline is dead', () => {
  let names: ServerNames
  let api: ApiProcess
  let reader: Person
  let writer: Person
  const running = new Map<string, ProgramProcess>()
  const posts: string[] = []

  type Part = Parameters<typeof startWorker>[1]

  async function write(): Promise<void> {
    const { data } = await writer.client.v1.posts.post({ text: 'x' })
    posts.unshift(data!.id)
  }
  async function feed(): Promise<readonly string[]> {
    const { data } = await createClient(api.url, { token: reader.token }).v1.feed.get()
    return data!.items.map(({ id }) => id)
  }
  const shows = () => eventually(async () => Bun.deepEquals(await feed(), posts), WITHIN)
  const says = (words: string) => api.output().split(words).length - 1

  beforeAll(async () => {
    names = await createMigratedNames()
    api = await startApiProcess(names.env)
    for (const part of ['cdc-indexer', 'fanout-worker'] as const) {
      running.set(part, await startWorker(names, part))
    }
    await api.untilBelieving()
    ;[writer, reader] = [await signUp(api.url, 'writer'), await signUp(api.url, 'reader')]
    await reader.client.v1.users({ username: writer.username }).follow.put()
    await feed()
    await write()
    await shows()
  }, 120_000)
  afterAll(async () => {
    for (const program of running.values()) await program[Symbol.asyncDispose]()
    await api?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  }, 60_000)

  test.each([['fanout-worker'], ['cdc-indexer']] as const)(
    'new posts show without the %s, from SQL, and from timelines once it is back',
    async (part: Part) => {
      expect(says('fan-out is behind')).toBe(says('fan-out has caught up'))
      const before = says('fan-out is behind')
      await running.get(part)!.crash()
      // Nobody writes again to make it show.
      await write()
      await shows()
      expect(says('fan-out is behind')).toBe(before + 1)
      running.set(part, await startWorker(names, part))
      await eventually(() => says('fan-out has caught up') === before + 1, WITHIN)
      await shows()
      await write()
      await shows()
      expect(says('fan-out is behind')).toBe(before + 1)
    },
    150_000,
  )
})
