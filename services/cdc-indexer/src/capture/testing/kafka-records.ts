import type { KafkaClient } from '@sns/shared/adapters/kafka/client'
import { eventually } from '@sns/shared/testing/eventually'
import { uniqueName } from '@sns/shared/testing/servers'
import type { PublishedRecord } from './change-publisher-conformance'

/**
 * What is committed in the topics, as a tool that knows nothing of us reads it. A broker shows a transaction some
 * milliseconds after it said that it is committed: so it is waited for, where `atLeast` is not there yet.
 */
export async function readKafkaRecords(
  client: KafkaClient,
  topics: readonly string[],
  atLeast = 0,
): Promise<readonly PublishedRecord[]> {
  return eventually(
    async () => {
      const records = await readOnce(client, topics)
      return records.length >= atLeast ? records : null
    },
    { timeoutMs: 60_000, what: `${atLeast} records` },
  )
}

async function readOnce(
  client: KafkaClient,
  topics: readonly string[],
): Promise<readonly PublishedRecord[]> {
  const { kafka, drop } = client.session()
  const admin = kafka.admin()
  await admin.connect()
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 100 })
  try {
    // The ends of transactions take offsets too, so records cannot be counted by them.
    const ends = new Map<string, number>()
    for (const topic of topics) {
      const offsets = await eventually(() => admin.fetchTopicOffsets(topic), { timeoutMs: 30_000 })
      for (const { partition, high, low } of offsets) {
        if (Number(high) > Number(low)) ends.set(`${topic} ${partition}`, Number(high))
      }
    }
    const records: PublishedRecord[] = []
    if (ends.size === 0) return records
    consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) => {
      const at = `${topic} ${partition}`
      if (Number(lastOffset) + 1 >= (ends.get(at) ?? 0)) ends.delete(at)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ topic, partition, message: { key, value } }) => {
        const text = value === null ? null : value.toString()
        records.push({ topic, partition, key: key?.toString() ?? '', value: text })
      },
    })
    await eventually(() => ends.size === 0, { timeoutMs: 30_000 })
    return records
  } finally {
    await consumer.disconnect()
    await admin.disconnect()
    drop()
  }
}
