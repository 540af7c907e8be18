import { describe, expect, test } from 'bun:test'
import { encodeChange } from '../../events/change-record'
import { topicName } from '../../events/tables'
import { createMetrics } from '../../observability/metrics'
import { created, describeChange, startConsumer } from '../../testing/change-log-harness'
import { counted } from '../../testing/counted'
import { eventually } from '../../testing/eventually'
import {
  openKafkaBehindProxy,
  openKafkaTestLog,
  testEvent,
  testKafkaClient,
} from '../../testing/kafka-log'
import { testServers, uniqueName } from '../../testing/servers'
import { createKafkaChangeLog } from './change-log'
import { createKafkaDeadLetters } from './dead-letters'

const TEST_MS = 120_000
const WAIT = { timeoutMs: 60_000 }

describe.skipIf(!testServers.kafka)('a Kafka consumer group', () => {
  test(
    'shares the work, and loses and reorders nothing as members come and go',
    async () => {
      await using log = await openKafkaTestLog(4)
      const group = uniqueName('group')
      const appended: string[] = []
      const append = async (count: number) => {
        const changes = Array.from({ length: count }, (_, n) => {
          const version = appended.length + n
          return created(version % 20, `v${version}`)
        })
        await log.append(changes)
        appended.push(...changes.map(describeChange))
      }
      const handled: string[] = []
      const open = new Set<string>()
      let overlaps = 0
      const member = () =>
        startConsumer(log.open(), {
          group,
          maxBatch: 10,
          work: async (events) => {
            const keys = new Set(events.map((event) => event.split(' ')[2] ?? ''))
            for (const key of keys) {
              if (open.has(key)) overlaps++
              open.add(key)
            }
            await Bun.sleep(Math.random() * 20)
            for (const key of keys) open.delete(key)
            handled.push(...events)
          },
        })
      const first = member()
      await append(200)
      await eventually(() => first.done.length > 20, WAIT)
      const second = member()
      await eventually(async () => {
        await append(20)
        return second.done.length > 0 && first.done.length > 100
      }, WAIT)
      await first.stop()
      await append(100)
      await eventually(() => new Set(handled).size === appended.length, WAIT)
      await second.stop()
      expect(overlaps).toBe(0)
      expect(await log.open().backlog(group, ['posts'])).toBe(0)
      expect(new Set(handled)).toEqual(new Set(appended))
      for (const mine of Map.groupBy(handled, (event) => event.split(' ')[2]).values()) {
        const seen = mine.map((event) => Number(event.split(' v')[1]))
        // A repetition starts again further back and then brings everything from there on.
        const firsts = seen.filter((version, at) => seen.indexOf(version) === at)
        expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
      }
    },
    TEST_MS,
  )

  test(
    'hands over and commits together what a fetch brings of several partitions',
    async () => {
      await using log = await openKafkaTestLog(4)
      const changes = Array.from({ length: 40 }, (_, n) => created(n))
      await log.append(changes)
      const group = uniqueName('group')
      const consumer = startConsumer(log.open(), { group })
      await eventually(() => consumer.done.length >= 40, WAIT)
      await consumer.stop()
      expect(consumer.batches).toHaveLength(1)
      expect(new Set(consumer.done)).toEqual(new Set(changes.map(describeChange)))
      expect(await log.open().backlog(group, ['posts'])).toBe(0)
    },
    TEST_MS,
  )

  test(
    'takes over from a member that is cut off, within about ten seconds',
    async () => {
      await using log = await openKafkaTestLog(1)
      await using behind = await openKafkaBehindProxy()
      const { proxy, client } = behind
      await using cutOff = createKafkaChangeLog(client, log.names)
      const group = uniqueName('group')
      const first = startConsumer(cutOff, { group })
      await log.append([created(1)])
      await eventually(() => first.done.length === 1, WAIT)
      const second = startConsumer(log.open(), { group })
      proxy.stall()
      await log.append([created(2)])
      await eventually(() => second.done.includes(describeChange(created(2))), {
        timeoutMs: 20_000,
      })
      await proxy.resume()
      await Promise.all([first.stop(), second.stop()])
    },
    TEST_MS,
  )

  for (const fault of ['cut', 'stall'] as const) {
    test(
      `goes on by itself after its connection was ${fault}`,
      async () => {
        await using log = await openKafkaTestLog()
        await using behind = await openKafkaBehindProxy({ requestTimeoutMs: 2_000 })
        const { proxy, client } = behind
        await using faulty = createKafkaChangeLog(client, log.names)
        const changes = Array.from({ length: 90 }, (_, n) => created(n))
        const consumer = startConsumer(faulty, { maxBatch: 5 })
        await log.append(changes.slice(0, 30))
        await eventually(() => consumer.done.length >= 30, WAIT)
        if (fault === 'cut') await proxy.cut()
        else proxy.stall()
        await log.append(changes.slice(30, 60))
        // How long the outage lasts; what follows must come whatever was tried meanwhile.
        await Bun.sleep(5_000)
        await proxy.resume()
        await log.append(changes.slice(60))
        await eventually(() => new Set(consumer.done).size === 90, WAIT)
        await consumer.stop()
        expect(new Set(consumer.done)).toEqual(new Set(changes.map(describeChange)))
      },
      TEST_MS,
    )
  }

  const stranger = testEvent(created(2), 2)
  test.each([
    ['is no change', { id: 2 }, 'source is not an object'],
    [
      'has a row that does not fit its table',
      { ...stranger, after: { ...stranger.after, author_id: 'ann' } },
      'after.author_id: Expected integer',
    ],
  ])(
    'stands still before a record that %s, and says where',
    async (_, value, problem) => {
      await using log = await openKafkaTestLog(1)
      const topic = topicName(log.names, 'posts')
      await log.append([created(1)])
      await log.appendRecords('posts', [{ key: '{"id":2}', value: JSON.stringify(value) }])
      await log.append([created(3)])
      const group = uniqueName('group')
      const consumer = startConsumer(log.open(), { group })
      await eventually(() => consumer.retries.length >= 2, WAIT)
      await consumer.stop()
      expect(consumer.done).toEqual([describeChange(created(1))])
      expect(String(consumer.retries[0])).toContain(
        `malformed change at ${topic} partition 0 offset 1: ${problem}`,
      )
      expect(await log.open().backlog(group, ['posts'])).toBe(2)
    },
    TEST_MS,
  )

  test(
    'puts aside a record whose id no number holds exactly, as a dead letter, and goes on',
    async () => {
      await using log = await openKafkaTestLog(1)
      await log.append([created(1)])
      const { key, value } = encodeChange(testEvent(created(2), 2))
      const digits = (json: string) => json.replace('"id":2', '"id":9007199254740993')
      await log.appendRecords('posts', [{ key: digits(key), value: digits(value) }])
      await log.append([created(3)])
      const group = uniqueName('group')
      const consumer = startConsumer(log.open(), { group })
      await eventually(() => consumer.done.length === 2, WAIT)
      await consumer.stop()
      expect(consumer.done).toEqual([created(1), created(3)].map(describeChange))
      expect(await log.open().backlog(group, ['posts'])).toBe(0)
      await using deadLetters = createKafkaDeadLetters(log.client, log.names)
      const letters = await deadLetters.all()
      expect(letters.map(({ stage, reason }) => [stage, reason])).toEqual([
        ['read', expect.stringContaining('partition 0 offset 1, key {"id":9007199254740993}')],
      ])
    },
    TEST_MS,
  )

  test(
    'keeps its membership while one batch takes longer than a session',
    async () => {
      await using log = await openKafkaTestLog(1)
      const group = uniqueName('group')
      const slow = startConsumer(log.open(), { group, work: () => Bun.sleep(11_000) })
      await log.append([created(1)])
      await eventually(() => slow.batches.length === 1, WAIT)
      await eventually(() => slow.done.length === 1, WAIT)
      await eventually(async () => (await log.open().backlog(group, ['posts'])) === 0, WAIT)
      await slow.stop()
      expect(slow.batches).toHaveLength(1)
    },
    TEST_MS,
  )

  test('stops while Kafka is away', async () => {
    const metrics = createMetrics()
    const away = createKafkaChangeLog(testKafkaClient(['127.0.0.1:1'], { metrics }), {
      prefix: 'none',
      database: 'sns',
    })
    const consumer = startConsumer(away)
    await eventually(async () => (await counted(metrics.storeRetries)) > 0, WAIT)
    await consumer.stop()
    expect(consumer.done).toEqual([])
    await expect(away.backlog('none', ['posts'])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
  }, 40_000)
})
