import { expect, test } from 'bun:test'
import { createKafkaChangeLog } from '@sns/shared/adapters/kafka/change-log'
import { createKafkaConnection } from '@sns/shared/adapters/kafka/client'
import { migrateTopics } from '@sns/shared/adapters/kafka/topics'
import { sleep } from '@sns/shared/async/sleep'
import { encodeChange } from '@sns/shared/events/change-record'
import { topicName } from '@sns/shared/events/tables'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { created } from '@sns/shared/testing/change-log-harness'
import { eventually } from '@sns/shared/testing/eventually'
import { kafkaHome, openKafkaCluster } from '@sns/shared/testing/kafka-cluster'
import { testEvent, testKafkaClient } from '@sns/shared/testing/kafka-log'
import { createKafkaChangePublisher } from './change-publisher'

const TEST_MS = 240_000
const WITHIN = { timeoutMs: 90_000 }
const ROWS = 20

if (!kafkaHome) console.log('SKIPPED: no Kafka to start here (TEST_KAFKA_HOME)')

test.skipIf(!kafkaHome)(
  'three brokers restart in turn, one is killed, two are away: nothing lost, nothing out of order, and a halt shows',
  async () => {
    await using cluster = await openKafkaCluster()
    const metrics = createMetrics()
    const lines: string[] = []
    const logger = Object.assign(Object.create(createLogger('test', 'silent')), {
      warn: (_fields: unknown, words: string) => lines.push(words),
    })
    const client = testKafkaClient(cluster.brokers, { logger, metrics })
    const names = { prefix: 'three', database: 'sns' }
    const topic = topicName(names, 'posts')
    await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
    const inSync = async () => {
      const { topics } = await connection.run((admin) =>
        admin.fetchTopicMetadata({ topics: [topic] }),
      )
      return Math.min(...(topics[0]?.partitions.map(({ isr }) => isr.length) ?? [0]))
    }
    await eventually(
      async () => (await connection.run((admin) => admin.describeCluster())).brokers.length === 3,
      WITHIN,
    )
    await migrateTopics(client, { ...names, partitions: 3, replication: 3 })
    await eventually(async () => (await inSync()) === 3, WITHIN)

    await using changeLog = createKafkaChangeLog(client, names)
    await using publisher = createKafkaChangePublisher(client, names)
    await eventually(() => publisher.use(null), WITHIN)
    const stopping = new AbortController()
    const seen = new Map<number, number[]>()
    const consuming = changeLog.consume({
      group: 'three.fanout',
      tables: ['posts'],
      maxBatch: 100,
      signal: stopping.signal,
      async handle(events) {
        for (const { after } of events) {
          const id = Number(after?.id)
          const own = seen.get(id) ?? []
          own.push(Number(after?.text))
          seen.set(id, own)
        }
      },
    })
    let round = 0
    let failures = 0
    const capturing = (async () => {
      while (!stopping.signal.aborted) {
        const next = round + 1
        const changes = Array.from({ length: ROWS }, (_, at) =>
          encodeChange(
            testEvent({ ...created(at + 1, String(next)), op: 'u' }, (next - 1) * ROWS + at + 1),
          ),
        )
        // As capture does: the same again after each failure.
        const isPublished = await publisher.publish(changes).then(
          () => true,
          () => false,
        )
        if (isPublished) round = next
        else failures += 1
        await sleep(20, stopping.signal)
      }
    })()
    const more = (rounds = 5) => {
      const wanted = round + rounds
      return eventually(() => round >= wanted, { ...WITHIN, what: `round ${wanted}` })
    }

    await more()
    for (const broker of [0, 1, 2]) {
      await cluster.stop(broker)
      await more()
      await cluster.start(broker)
      await eventually(async () => (await inSync()) === 3, WITHIN)
    }
    await cluster.kill(1)
    await more()

    // One of three is left: what it alone would have is not acknowledged.
    await cluster.kill(2)
    const failed = failures
    await eventually(() => failures > failed, WITHIN)
    const halted = round
    await eventually(() => failures > failed + 1, WITHIN)
    expect(round).toBeLessThanOrEqual(halted + 1)
    expect(lines.some((words) => words.startsWith('publishing to Kafka failed: '))).toBe(true)
    expect(await metrics.registry.metrics()).toMatch(
      /sns_store_errors_total\{store="kafka"\} [1-9]/,
    )

    await cluster.start(1)
    await cluster.start(2)
    await more()
    const last = round
    await eventually(
      () =>
        Array.from({ length: ROWS }, (_, at) => seen.get(at + 1)?.at(-1) ?? 0).every(
          (at) => at >= last,
        ),
      WITHIN,
    )
    stopping.abort()
    await Promise.all([capturing, consuming])
    for (const own of seen.values()) {
      // Repeats are allowed, and are followed by all that they preceded.
      const firsts = own.filter((at, index) => own.indexOf(at) === index)
      expect(firsts).toEqual(firsts.map((_, index) => index + 1))
      expect(own.every((at, index) => at <= (own[index - 1] ?? 0) + 1)).toBe(true)
    }
    expect(seen.size).toBe(ROWS)
  },
  TEST_MS,
)
