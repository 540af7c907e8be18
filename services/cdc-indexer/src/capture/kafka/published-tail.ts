import type { KafkaClient } from '@sns/shared/adapters/kafka/client'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { sequenceOf } from '@sns/shared/events/change-event'
import { decodeInexactChange } from '@sns/shared/events/change-record'
import { capturedTables, type TopicNames, topicName } from '@sns/shared/events/tables'
import type { PublishedTransaction } from '../ports/change-publisher'

/** How far before its end a partition is read. */
const TAIL_OFFSETS = 2_000
const READ_MS = 30_000

/** The transactions of the last committed records of each partition. Errors: `store_unavailable`. */
export async function readPublishedTail(
  client: KafkaClient,
  names: TopicNames,
): Promise<readonly PublishedTransaction[]> {
  const session = client.session()
  const admin = session.kafka.admin()
  const groupId = `${names.prefix}.capture.${names.database}.tail.${crypto.randomUUID()}`
  const consumer = session.kafka.consumer({ groupId, allowAutoTopicCreation: false })
  const tables = new Map(capturedTables.map((table) => [topicName(names, table), table]))
  const found = new Map<string, PublishedTransaction>()
  const ended = Promise.withResolvers<void>()
  const late = setTimeout(
    () => ended.reject(new Error(`the ends of the topics are not reached within ${READ_MS} ms`)),
    READ_MS,
  )
  try {
    await admin.connect()
    const ends = await partitionEnds([...tables.keys()], (topic) => admin.fetchTopicOffsets(topic))
    if (ends.length === 0) return []
    const open = new Set(ends.map(({ name }) => name))
    consumer.on('consumer.crash', ({ payload }) => ended.reject(payload.error))
    // Also told of batches that hold nothing but the end of a transaction, which has an offset too.
    consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) => {
      const end = ends.find(({ name }) => name === nameOf(topic, partition))
      if (end && BigInt(lastOffset) + 1n >= end.high) open.delete(end.name)
      if (open.size === 0) ended.resolve()
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...new Set(ends.map(({ topic }) => topic))] })
    await consumer.run({
      autoCommit: false,
      async eachMessage({ topic, message: { value } }) {
        const table = tables.get(topic)
        if (!table || !value) return
        const { source } = decodeInexactChange(table, value.toString())
        // Debezium's records have no sequence to keep.
        if (source.epoch === null) return
        found.set(source.gtid, { gtid: source.gtid, sequence: sequenceOf(source) })
      },
    })
    for (const { topic, partition, from } of ends) {
      consumer.seek({ topic, partition, offset: String(from) })
    }
    await ended.promise
    return [...found.values()]
  } catch (error) {
    throw storeUnavailable('kafka', error)
  } finally {
    clearTimeout(late)
    ended.promise.catch(() => {})
    await consumer.disconnect().catch(() => {})
    await admin.deleteGroups([groupId]).catch(() => {})
    await admin.disconnect().catch(() => {})
    session.drop()
  }
}

interface PartitionEnd {
  readonly name: string
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly high: bigint
}

type Offsets = readonly {
  readonly partition: number
  readonly low: string
  readonly high: string
}[]

/** Of all partitions that hold something. */
async function partitionEnds(
  topics: readonly string[],
  offsetsOf: (topic: string) => Promise<Offsets>,
): Promise<readonly PartitionEnd[]> {
  const ends: PartitionEnd[] = []
  for (const topic of topics) {
    for (const { partition, low, high } of await offsetsOf(topic)) {
      const [first, end] = [BigInt(low), BigInt(high)]
      const wanted = end - BigInt(TAIL_OFFSETS)
      const from = wanted > first ? wanted : first
      if (end > first)
        ends.push({ name: nameOf(topic, partition), topic, partition, from, high: end })
    }
  }
  return ends
}

function nameOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
