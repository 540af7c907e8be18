import { describe, expect, test } from 'bun:test'
import { type EncodedChange, encodeChange } from '@sns/shared/events/change-record'
import { topicName } from '@sns/shared/events/tables'
import { createMetrics } from '@sns/shared/observability/metrics'
import { created, type TestChange } from '@sns/shared/testing/change-log-harness'
import { eventually } from '@sns/shared/testing/eventually'
import {
  type KafkaTestLog,
  openKafkaBehindProxy,
  openKafkaTestLog,
  testEvent,
  testKafkaClient,
} from '@sns/shared/testing/kafka-log'
import { testServers } from '@sns/shared/testing/servers'
import type { ChangePublisher } from '../ports/change-publisher'
import { changePublisherConformance } from '../testing/change-publisher-conformance'
import { readKafkaRecords } from '../testing/kafka-records'
import { createKafkaChangePublisher } from './change-publisher'

const TEST_MS = 90_000

describe.skipIf(!testServers.kafka)('on Kafka', () => {
  changePublisherConformance('KafkaChangePublisher', async () => {
    const log = await openKafkaTestLog()
    const publisher = createKafkaChangePublisher(log.client, log.names)
    return {
      publisher,
      records: (atLeast) => readKafkaRecords(log.client, topicsOf(log.names), atLeast),
      async [Symbol.asyncDispose]() {
        await publisher[Symbol.asyncDispose]()
        await log[Symbol.asyncDispose]()
      },
    }
  })

  for (const fault of ['cut', 'stall'] as const) {
    test(
      `loses and reorders nothing when its connection is ${fault} in the middle`,
      async () => {
        await using log = await openKafkaTestLog()
        await using behind = await openKafkaBehindProxy({ requestTimeoutMs: 1_000 })
        const { proxy, client } = behind
        await using publisher = createKafkaChangePublisher(client, log.names)
        const total = 400
        let acknowledged = 0
        const publishing = (async () => {
          for (let n = 0; n < total; n++) {
            await untilPublished(publisher, change({ ...created(n % 7, `v${n}`), op: 'u' }, n))
            acknowledged++
            if (acknowledged === total / 4) {
              if (fault === 'cut') await proxy.cut()
              else proxy.stall()
              setTimeout(() => void proxy.resume(), 2_500)
            }
          }
        })()
        await publishing
        const records = await readKafkaRecords(log.client, topicsOf(log.names), total)
        for (let id = 0; id < 7; id++) {
          const seen = records
            .filter(({ key }) => key === JSON.stringify({ id }))
            .map(({ value }) => Number(JSON.parse(value ?? '').after.text.slice(1)))
          const wanted = Array.from({ length: total }, (_, n) => n).filter((n) => n % 7 === id)
          // What was sent and not acknowledged may be there twice, but only in its place.
          expect(seen.filter((version, at) => version !== seen[at - 1])).toEqual(wanted)
        }
      },
      TEST_MS,
    )
  }

  test(
    'what a stalled connection delivers after the retry is refused',
    async () => {
      await using log = await openKafkaTestLog()
      await using behind = await openKafkaBehindProxy({ requestTimeoutMs: 1_000 })
      const { proxy, client } = behind
      await using publisher = createKafkaChangePublisher(client, log.names)
      const publish = (text: string, n: number) =>
        untilPublished(publisher, change({ ...created(1, text), op: 'u' }, n))
      await publish('first', 1)
      for (let round = 0; round < 3; round += 1) {
        const letGo = proxy.hold()
        await publish(`old ${round}`, 2 + 2 * round)
        await publish(`new ${round}`, 3 + 2 * round)
        await letGo()
      }
      expect(await textsOf(log, 7)).toEqual([
        'first',
        'old 0',
        'new 0',
        'old 1',
        'new 1',
        'old 2',
        'new 2',
      ])
    },
    TEST_MS,
  )

  test(
    'of two publishers the one that opened the log last is heard, and the other opens it only if it may',
    async () => {
      await using log = await openKafkaTestLog()
      await using first = createKafkaChangePublisher(log.client, log.names)
      await using second = createKafkaChangePublisher(log.client, log.names)
      const publish = (by: typeof first, text: string, n: number, may = true) =>
        by.publish([change({ ...created(1, text), op: 'u' }, n)], async () => may)
      await publish(first, 'by the first', 1)
      await publish(second, 'by the second', 2)
      const late = publish(first, 'by the first, late', 3, false)
      await expect(late).rejects.toMatchObject({ code: 'store_unavailable' })
      await publish(second, 'by the second again', 4)
      expect(await textsOf(log, 3)).toEqual([
        'by the first',
        'by the second',
        'by the second again',
      ])
    },
    TEST_MS,
  )

  test(
    'is asked whether it may go on after it opened the log, and sends nothing where it may not',
    async () => {
      await using log = await openKafkaTestLog()
      await using early = createKafkaChangePublisher(log.client, log.names)
      await using later = createKafkaChangePublisher(log.client, log.names)
      const event = (text: string, n: number) => change({ ...created(1, text), op: 'u' }, n)
      let isEarlyOpen = false
      // While the early one asks, a later one opens the log and publishes.
      const failing = early.publish([event('early', 1)], async () => {
        await later.publish([event('later', 2)])
        isEarlyOpen = true
        return true
      })
      await expect(failing).rejects.toMatchObject({ code: 'store_unavailable' })
      expect(isEarlyOpen).toBe(true)
      expect(await textsOf(log, 1)).toEqual(['later'])
    },
    TEST_MS,
  )

  test(
    'a batch that was cut off in the midst is not read, and does not hold its readers up',
    async () => {
      await using log = await openKafkaTestLog()
      await using behind = await openKafkaBehindProxy()
      const { proxy, client } = behind
      const dying = createKafkaChangePublisher(client, log.names)
      const text = 'long '.repeat(2_000)
      const many = Array.from({ length: 600 }, (_, n) =>
        change({ ...created(n % 5, `${text}${n}`), op: 'u' }, n),
      )
      await dying.publish([change(created(1, 'before'), 1)])
      const publishing = dying.publish(many).then(
        () => 'done',
        () => 'failed',
      )
      await Bun.sleep(60)
      await proxy.cut()
      const end = await publishing
      await dying[Symbol.asyncDispose]()
      await using next = createKafkaChangePublisher(log.client, log.names)
      await next.publish([change({ ...created(1, 'after'), op: 'u' }, 1_000)])
      const texts = await textsOf(log, 2)
      expect(texts[0]).toBe('before')
      expect(texts.at(-1)).toBe('after')
      // All of it or none of it, of one key.
      const ofOne = many.filter(({ key }) => key === '{"id":1}').length
      expect(end === 'done' ? [ofOne] : [0, ofOne]).toContain(texts.length - 2)
    },
    TEST_MS,
  )
})

test('fails where Kafka is away, and counts it', async () => {
  const metrics = createMetrics()
  const client = testKafkaClient(['127.0.0.1:1'], { metrics })
  await using publisher = createKafkaChangePublisher(client, { prefix: 'none', database: 'sns' })
  const failure = publisher.publish([change(created(1), 1)])
  await expect(failure).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await metrics.registry.metrics()).toContain('sns_store_errors_total{store="kafka"} 1')
}, 30_000)

test('says which row is too large instead of trying for ever', async () => {
  await using publisher = createKafkaChangePublisher(testKafkaClient(['127.0.0.1:1']), {
    prefix: 'none',
    database: 'sns',
  })
  const huge = change(created(9, 'x'.repeat(3_000_000)), 1)
  await expect(publisher.publish([huge])).rejects.toThrow(/posts \{"id":9\}.*3000\d+ bytes/)
})

function change(of: TestChange, sequence: number): EncodedChange {
  return encodeChange(testEvent(of, sequence))
}

/** As capture does: the same again after each failure. */
async function untilPublished(publisher: ChangePublisher, event: EncodedChange): Promise<void> {
  await eventually(
    () =>
      publisher.publish([event]).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 60_000 },
  )
}

/** What readers find of the row 1, in order, without repeats next to each other. */
async function textsOf(log: KafkaTestLog, atLeast: number): Promise<readonly string[]> {
  const records = await readKafkaRecords(log.client, topicsOf(log.names), atLeast)
  const texts: string[] = records
    .filter(({ key }) => key === '{"id":1}')
    .map(({ value }) => JSON.parse(value ?? '').after.text)
  return texts.filter((text, at) => text !== texts[at - 1])
}

function topicsOf({ prefix, database }: { prefix: string; database: string }) {
  return (['posts', 'comments'] as const).map((table) => topicName({ prefix, database }, table))
}
