import { describe, expect, test } from 'bun:test'
import {
  type CreateChangeLogHarness,
  created,
  describeChange,
  startConsumer,
  type TestChange,
} from './change-log-harness'
import { eventually } from './eventually'
import { uniqueName } from './servers'

const WAIT = { timeoutMs: 30_000 }
const TEST_MS = 60_000

/** What every `ChangeLog` promises. Each test gets an empty log. */
export function changeLogConformance(name: string, create: CreateChangeLogHarness): void {
  describe(name, () => {
    test(
      'gives a new group everything that the log holds, then what comes after',
      async () => {
        await using harness = await create()
        await harness.append([created(1), created(2)])
        const consumer = startConsumer(harness.open())
        await eventually(() => consumer.done.length === 2, WAIT)
        await harness.append([created(3)])
        await eventually(() => consumer.done.length === 3, WAIT)
        await consumer.stop()
        expect(consumer.done.toSorted()).toEqual([1, 2, 3].map((id) => describeChange(created(id))))
      },
      TEST_MS,
    )

    test(
      'tells that it has joined, before it hands anything over',
      async () => {
        await using harness = await create()
        const consumer = startConsumer(harness.open())
        await eventually(() => consumer.joins.length === 1, WAIT)
        expect(consumer.joins).toEqual([0])
        await harness.append([created(5)])
        await eventually(() => consumer.done.length === 1, WAIT)
        await consumer.stop()
      },
      TEST_MS,
    )

    test(
      'keeps the order of each key, deletes included, for any batches',
      async () => {
        await using harness = await create()
        const history = storiesOf([11, 12, 13, 14, 15, 16], 5)
        await harness.append(history)
        const consumer = startConsumer(harness.open(), { maxBatch: 3 })
        await eventually(() => consumer.done.length === history.length, WAIT)
        await consumer.stop()
        expect(Math.max(...consumer.batches.map((batch) => batch.length))).toBeLessThanOrEqual(3)
        expect(byKey(consumer.done)).toEqual(byKey(history.map(describeChange)))
      },
      TEST_MS,
    )

    test(
      'brings the same events again until they are handled, and skips none',
      async () => {
        await using harness = await create()
        const history = storiesOf([21, 22, 23], 4)
        await harness.append(history)
        let attempts = 0
        const consumer = startConsumer(harness.open(), {
          maxBatch: 4,
          work: () => {
            if (++attempts % 2 === 1) throw new Error('not now')
          },
        })
        await eventually(() => consumer.done.length === history.length, WAIT)
        await consumer.stop()
        expect(byKey(consumer.done)).toEqual(byKey(history.map(describeChange)))
        expect(consumer.retries.length).toBeGreaterThan(0)
        expect(consumer.batches).toHaveLength(attempts)
      },
      TEST_MS,
    )

    test(
      'continues after a restart where the group had finished',
      async () => {
        await using harness = await create()
        const group = uniqueName('group')
        await harness.append([created(31)])
        const first = startConsumer(harness.open(), { group })
        await eventually(() => first.done.length === 1, WAIT)
        await first.stop()
        await harness.append([created(32)])
        const second = startConsumer(harness.open(), { group })
        await eventually(() => second.done.length === 1, WAIT)
        await second.stop()
        expect(second.done).toEqual([describeChange(created(32))])
      },
      TEST_MS,
    )

    test(
      'finishes and commits the batch in hand when told to stop',
      async () => {
        await using harness = await create()
        const group = uniqueName('group')
        await harness.append([created(41)])
        const go = Promise.withResolvers<void>()
        const first = startConsumer(harness.open(), {
          group,
          work: (_, stop) => {
            stop()
            return go.promise
          },
        })
        await eventually(() => first.batches.length === 1, WAIT)
        const stopped = first.stop()
        go.resolve()
        await stopped
        expect(first.done).toEqual([describeChange(created(41))])
        expect(await harness.open().backlog(group, ['posts'])).toBe(0)
      },
      TEST_MS,
    )

    test(
      'repeats to the next consumer what one took and did not finish',
      async () => {
        await using harness = await create()
        const group = uniqueName('group')
        await harness.append([created(51)])
        const first = startConsumer(harness.open(), {
          group,
          work: (_, stop) => {
            stop()
            throw new Error('gone in the middle')
          },
        })
        await eventually(() => first.batches.length === 1, WAIT)
        await first.stop()
        expect(first.batches).toHaveLength(1)
        expect(await harness.open().backlog(group, ['posts'])).toBe(1)
        const second = startConsumer(harness.open(), { group })
        await eventually(() => second.done.length === 1, WAIT)
        await second.stop()
        expect(second.done).toEqual([describeChange(created(51))])
      },
      TEST_MS,
    )

    test(
      'shows each group every change, however far another has come',
      async () => {
        await using harness = await create()
        await harness.append([created(61), created(62)])
        const log = harness.open()
        const stuck = startConsumer(log, {
          work: () => {
            throw new Error('never')
          },
        })
        const free = startConsumer(log)
        await eventually(() => free.done.length === 2, WAIT)
        await eventually(() => stuck.retries.length > 0, WAIT)
        await Promise.all([stuck.stop(), free.stop()])
        expect(stuck.done).toEqual([])
      },
      TEST_MS,
    )

    test(
      'brings the tables that were asked for and no others',
      async () => {
        await using harness = await create()
        const post = created(71)
        const comment: TestChange = { table: 'comments', op: 'c', id: 72, text: 'a comment' }
        await harness.append([comment, post, created(73)])
        const both = startConsumer(harness.open(), { tables: ['posts', 'comments'] })
        const comments = startConsumer(harness.open(), { tables: ['comments'] })
        await eventually(() => both.done.length === 3 && comments.done.length === 1, WAIT)
        await Promise.all([both.stop(), comments.stop()])
        expect(comments.done).toEqual([describeChange(comment)])
        expect(both.done.toSorted()).toEqual(
          [comment, post, created(73)].map(describeChange).toSorted(),
        )
      },
      TEST_MS,
    )

    test(
      'counts what a group has yet to finish',
      async () => {
        await using harness = await create()
        const log = harness.open()
        const group = uniqueName('group')
        expect(await log.backlog(group, ['posts', 'comments'])).toBe(0)
        await harness.append([created(81), created(82)])
        expect(await log.backlog(group, ['posts', 'comments'])).toBe(2)
        expect(await log.backlog(group, ['comments'])).toBe(0)
        const consumer = startConsumer(log, { group })
        await eventually(async () => (await log.backlog(group, ['posts'])) === 0, WAIT)
        await consumer.stop()
        await harness.append([created(83)])
        expect(await log.backlog(group, ['posts'])).toBe(1)
      },
      TEST_MS,
    )

    test(
      'tells whether a group has finished what the log held at some time, whatever came since',
      async () => {
        await using harness = await create()
        const log = harness.open()
        const group = uniqueName('group')
        const tables = ['posts'] as const
        expect(await log.hasFinished(group, tables, await log.end(tables))).toBe(true)
        const held = Promise.withResolvers<void>()
        await harness.append([created(95), created(96), created(97)])
        const end = await log.end(tables)
        expect(end.size).toBeGreaterThan(0)
        expect(await log.hasFinished(group, tables, end)).toBe(false)
        const consumer = startConsumer(log, {
          group,
          work: (events) =>
            events.includes(describeChange(created(98))) ? held.promise : Promise.resolve(),
        })
        await eventually(() => log.hasFinished(group, tables, end), WAIT)
        await harness.append([created(98)])
        const later = await log.end(tables)
        await eventually(() => consumer.batches.flat().length === 4, WAIT)
        expect(await log.hasFinished(group, tables, end)).toBe(true)
        expect(await log.hasFinished(group, tables, later)).toBe(false)
        held.resolve()
        await eventually(() => log.hasFinished(group, tables, later), WAIT)
        await consumer.stop()
      },
      TEST_MS,
    )

    test(
      'stops at once when it has nothing to do or nothing succeeds',
      async () => {
        await using harness = await create()
        const idle = startConsumer(harness.open())
        await idle.stop()
        await harness.append([created(91)])
        const failing = startConsumer(harness.open(), {
          work: () => {
            throw new Error('never')
          },
        })
        await eventually(() => failing.retries.length >= 3, WAIT)
        await failing.stop()
        expect(failing.done).toEqual([])
      },
      TEST_MS,
    )
  })
}

/** Each id is created, updated several times and deleted; the changes of different ids interleave. */
function storiesOf(ids: readonly number[], length: number): readonly TestChange[] {
  return Array.from({ length }, (_, step) =>
    ids.map((id): TestChange => {
      const op = step === 0 ? 'c' : step === length - 1 ? 'd' : 'u'
      const text = `of ${id}, ${op === 'd' ? step - 1 : step}`
      return { table: 'posts', op, id, text }
    }),
  ).flat()
}

function byKey(events: readonly string[]): Record<string, readonly string[]> {
  const grouped = Map.groupBy(events, (event) => event.split(' ')[2] ?? '')
  return Object.fromEntries([...grouped].toSorted(([a], [b]) => a.localeCompare(b)))
}
