import type { KafkaClient } from '@sns/shared/adapters/kafka/client'
import { eventually } from '@sns/shared/testing/eventually'
import { uniqueName } from '@sns/shared/testing/servers'
import type { PublishedRecord } from './change-publisher-conformance'

/** Everything that the topics hold now, as a tool that knows nothing of us reads it. */
export async function readKafkaRecords(
  client: KafkaClient,
  topics: readonly string[],
): Promise<readonly PublishedRecord[]> {
  const { kafka, drop } = client.session()
  const admin = kafka.admin()
  await admin.connect()
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 100 })
  try {
    let wanted = 0
    for (const topic of topics) {
      const ends = await eventually(() => admin.fetchTopicOffsets(topic), { timeoutMs: 30_000 })
      for (const { high, low } of ends) wanted += Number(high) - Number(low)
    }
    const records: PublishedRecord[] = []
    if (wanted === 0) return records
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ topic, partition, message: { key, value } }) => {
        const text = value === null ? null : value.toString()
        records.push({ topic, partition, key: key?.toString() ?? '', value: text })
      },
    })
    await eventually(() => records.length >= wanted, { timeoutMs: 30_000 })
    return records
  } finally {
    await consumer.disconnect()
    await admin.disconnect()
    drop()
  }
}
