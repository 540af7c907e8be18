import { describe, expect, test } from 'bun:test'
import { topicName } from '@sns/shared/events/tables'
import { createMetrics } from '@sns/shared/observability/metrics'
import { created } from '@sns/shared/testing/change-log-harness'
import { openKafkaTestLog, testEvent, testKafkaClient } from '@sns/shared/testing/kafka-log'
import { testServers } from '@sns/shared/testing/servers'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
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
      records: () => readKafkaRecords(log.client, topicsOf(log.names)),
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
        await using proxy = await createTcpProxy(testServers.kafka ?? '')
        const { host, port } = proxy
        const client = testKafkaClient([`${host}:${port}`], {
          route: () => ({ host, port }),
          requestTimeoutMs: 1_000,
        })
        await using publisher = createKafkaChangePublisher(client, { ...log.names, attempts: 20 })
        const total = 400
        let acknowledged = 0
        const publishing = (async () => {
          for (let n = 0; n < total; n++) {
            const change = { ...created(n % 7, `v${n}`), op: 'u' } as const
            await publisher.publish([testEvent(change, n)])
            acknowledged++
            if (acknowledged === total / 4) {
              if (fault === 'cut') await proxy.cut()
              else proxy.stall()
              setTimeout(() => void proxy.resume(), 2_500)
            }
          }
        })()
        await publishing
        const records = await readKafkaRecords(log.client, topicsOf(log.names))
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
})

test('gives up after bounded attempts when Kafka is away', async () => {
  const metrics = createMetrics()
  const client = testKafkaClient(['127.0.0.1:1'], { metrics })
  await using publisher = createKafkaChangePublisher(client, {
    prefix: 'none',
    database: 'sns',
    attempts: 2,
  })
  const failure = publisher.publish([testEvent(created(1), 1)])
  await expect(failure).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await metrics.registry.metrics()).toContain('sns_store_errors_total{store="kafka"} 1')
  expect(await metrics.registry.metrics()).toContain('sns_store_retries_total{store="kafka"} 1')
}, 30_000)

test('says which row is too large instead of trying for ever', async () => {
  await using publisher = createKafkaChangePublisher(testKafkaClient(['127.0.0.1:1']), {
    prefix: 'none',
    database: 'sns',
  })
  const huge = testEvent(created(9, 'x'.repeat(3_000_000)), 1)
  await expect(publisher.publish([huge])).rejects.toThrow(/posts \{"id":9\}.*3000\d+ bytes/)
})

function topicsOf({ prefix, database }: { prefix: string; database: string }) {
  return (['posts', 'comments'] as const).map((table) => topicName({ prefix, database }, table))
}
