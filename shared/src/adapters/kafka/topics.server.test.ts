import { describe, expect, test } from 'bun:test'
import { ConfigResourceTypes } from 'kafkajs'
import { capturedTables, topicName } from '../../events/tables'
import { dropTopics, testKafkaClient } from '../../testing/kafka-log'
import { testServers, uniqueName } from '../../testing/servers'
import { createKafkaConnection, createKafkaHealthCheck } from './client'
import { migrateTopics } from './topics'

const TEST_MS = 60_000

describe.skipIf(!testServers.kafka)('on Kafka', () => {
  test(
    'makes the topics, compacted, and a second time changes nothing',
    async () => {
      const client = testKafkaClient()
      const names = { prefix: uniqueName('topics'), database: 'sns' }
      const made: string[] = []
      const options = {
        ...names,
        partitions: 3,
        replication: 1,
        onProgress: (progress: { topic: string; done: number; total: number }) =>
          made.push(`${progress.done}/${progress.total}`),
      }
      await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
      try {
        await Promise.all([migrateTopics(client, options), migrateTopics(client, options)])
        await migrateTopics(client, options)
        expect(made.filter((step) => step === '8/8')).toHaveLength(3)
        const topics = capturedTables.map((table) => `${names.prefix}.sns.${table}`)
        const metadata = await connection.run((admin) => admin.fetchTopicMetadata({ topics }))
        expect(metadata.topics.map((topic) => topic.partitions.length)).toEqual(topics.map(() => 3))
        const { resources } = await connection.run((admin) =>
          admin.describeConfigs({
            includeSynonyms: false,
            resources: [{ type: ConfigResourceTypes.TOPIC, name: topics[0] ?? '' }],
          }),
        )
        const config = new Map(
          resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]),
        )
        expect(config.get('cleanup.policy')).toBe('compact')
        expect(config.get('max.message.bytes')).toBe('2097152')
        expect(config.get('min.compaction.lag.ms')).toBe('604800000')
        expect(config.get('flush.messages')).toBe('1')
        await expect(migrateTopics(client, { ...options, partitions: 4 })).rejects.toThrow(
          /KAFKA_PARTITIONS is 4, but the topic .* has 3: set KAFKA_PARTITIONS=3/,
        )
      } finally {
        await dropTopics(client, names)
      }
    },
    TEST_MS,
  )

  test(
    'says what to type where a topic would lose changes',
    async () => {
      const names = { prefix: uniqueName('topics'), database: 'sns' }
      const options = { ...names, partitions: 1, replication: 1 }
      const client = testKafkaClient()
      await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
      try {
        await migrateTopics(client, options)
        const topic = topicName(names, 'likes')
        const alter = (values: Record<string, string>) =>
          connection.run((admin) =>
            admin.alterConfigs({
              validateOnly: false,
              resources: [
                {
                  type: ConfigResourceTypes.TOPIC,
                  name: topic,
                  configEntries: Object.entries(values).map(([name, value]) => ({ name, value })),
                },
              ],
            }),
          )
        const week = '604800000'
        const good = {
          'cleanup.policy': 'compact',
          'max.message.bytes': '2097152',
          'min.compaction.lag.ms': week,
          'delete.retention.ms': '999999999999',
          'flush.messages': '1',
        }
        await alter(good)
        await migrateTopics(client, options)
        await alter({ ...good, 'delete.retention.ms': '1000', 'flush.messages': '100' })
        await expect(migrateTopics(client, options)).rejects.toThrow(
          `${topic} has delete.retention.ms=1000, flush.messages=100 and would lose changes: run kafka-configs.sh --alter --topic ${topic} --add-config delete.retention.ms=604800000,flush.messages=1`,
        )
      } finally {
        await dropTopics(client, names)
      }
    },
    TEST_MS,
  )

  test(
    'says that a topic has fewer replicas than it should, before any setting that would stop it',
    async () => {
      const names = { prefix: uniqueName('topics'), database: 'sns' }
      const options = { ...names, partitions: 2, replication: 1 }
      const client = testKafkaClient()
      try {
        await migrateTopics(client, options)
        await expect(migrateTopics(client, { ...options, replication: 3 })).rejects.toThrow(
          /KAFKA_REPLICATION is 3, but the topic .* has 1: give each of its partitions 3 brokers with kafka-reassign-partitions\.sh, or set KAFKA_REPLICATION=1/,
        )
      } finally {
        await dropTopics(client, names)
      }
    },
    TEST_MS,
  )

  test(
    'says when there are too few brokers',
    async () => {
      const options = { prefix: uniqueName('topics'), database: 'sns', partitions: 1 }
      await expect(
        migrateTopics(testKafkaClient(), { ...options, replication: 9 }),
      ).rejects.toThrow(/KAFKA_REPLICATION is 9/)
    },
    TEST_MS,
  )

  test('is healthy', async () => {
    await using health = createKafkaHealthCheck(testKafkaClient())
    await health.check()
  })
})

test('says that Kafka is not there', async () => {
  const client = testKafkaClient(['127.0.0.1:1'])
  await expect(
    migrateTopics(client, { prefix: 'none', database: 'sns', partitions: 1, replication: 1 }),
  ).rejects.toThrow(/Kafka at 127\.0\.0\.1:1 is not reachable; check KAFKA_BROKERS/)
  await using health = createKafkaHealthCheck(client)
  await expect(health.check()).rejects.toMatchObject({ code: 'store_unavailable' })
}, 30_000)
