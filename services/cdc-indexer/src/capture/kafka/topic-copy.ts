import { createKafkaConnection, type KafkaClient } from '@sns/shared/adapters/kafka/client'
import { createKeyPartitioner } from '@sns/shared/adapters/kafka/key-partitioner'
import { sendRecords } from '@sns/shared/adapters/kafka/record-sender'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { KafkaMessage, Producer } from 'kafkajs'
import { transactionOptions } from './change-publisher'

export interface TopicCopyOptions {
  /** From each topic into which one. */
  readonly topics: ReadonlyMap<string, string>
  /** Whose transactions these are: what a publisher of the id sent before is refused from now on. */
  readonly transactionalId: string
  /** Asked once the publisher before is shut out: false, and nothing is copied. */
  readonly mayCopy: () => Promise<boolean>
  readonly onProgress: (done: number, total: number) => void
  readonly signal: AbortSignal
}

/** What one request brings of one topic. */
const BATCH_BYTES = 1_500_000
const COMMIT_MS = 30_000

/**
 * Copies the committed records of topics, as they are, into topics of any size: those of a key in their order, in the
 * key's partition there. Errors: `store_unavailable`; then a part may be there.
 */
export async function copyTopics(client: KafkaClient, options: TopicCopyOptions): Promise<void> {
  const { topics, transactionalId, mayCopy, onProgress, signal } = options
  await using target = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      ...transactionOptions(transactionalId),
      createPartitioner: createKeyPartitioner,
    }),
  )
  // Opens the log: from here on the topics that are copied grow no more.
  await target.run(async () => {})
  if (!(await mayCopy())) throw storeUnavailable('kafka', new Error('it may not publish'))
  const session = client.session()
  const admin = session.kafka.admin()
  const groupId = `${transactionalId}.copy.${crypto.randomUUID()}`
  const consumer = session.kafka.consumer({ groupId, allowAutoTopicCreation: false })
  const over = Promise.withResolvers<void>()
  over.promise.catch(() => {})
  const onAbort = () => over.reject(new Error('stopped'))
  signal.addEventListener('abort', onAbort)
  try {
    await admin.connect()
    const ends = new Map<string, bigint>()
    let total = 0
    for (const topic of topics.keys()) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) ends.set(`${topic} ${partition}`, BigInt(high))
        total += Number(high) - Number(low)
      }
    }
    if (ends.size === 0) return
    if (signal.aborted) onAbort()
    let done = 0
    consumer.on('consumer.crash', ({ payload }) => over.reject(payload.error))
    // Also told of batches that hold nothing but the end of a transaction, which has an offset too.
    consumer.on('consumer.end_batch_process', ({ payload }) => {
      const { topic, partition, lastOffset } = payload
      const name = `${topic} ${partition}`
      const end = ends.get(name)
      if (end !== undefined && BigInt(lastOffset) + 1n >= end) ends.delete(name)
      if (ends.size === 0) over.resolve()
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch, heartbeat }) {
        for (const messages of cut(batch.messages)) {
          const topic = topics.get(batch.topic)
          if (topic === undefined) continue
          await target.run((producer) => append(producer, topic, messages), COMMIT_MS)
          await heartbeat()
        }
        done += batch.messages.length
        onProgress(Math.min(done, total), total)
      },
    })
    await over.promise
  } catch (error) {
    throw storeUnavailable('kafka', error)
  } finally {
    signal.removeEventListener('abort', onAbort)
    await consumer.disconnect().catch(() => {})
    await admin.deleteGroups([groupId]).catch(() => {})
    await admin.disconnect().catch(() => {})
    session.drop()
  }
}

async function append(producer: Producer, topic: string, messages: readonly KafkaMessage[]) {
  const transaction = await producer.transaction()
  await sendRecords(transaction, [
    {
      topic,
      messages: messages.map(({ key, value, headers, timestamp }) => ({
        key,
        value,
        timestamp,
        ...(headers && { headers }),
      })),
    },
  ])
  await transaction.commit()
}

function* cut(messages: readonly KafkaMessage[]): Generator<readonly KafkaMessage[]> {
  let from = 0
  let bytes = 0
  for (const [at, { key, value }] of messages.entries()) {
    const size = (key?.length ?? 0) + (value?.length ?? 0)
    if (at > from && bytes + size > BATCH_BYTES) {
      yield messages.slice(from, at)
      from = at
      bytes = 0
    }
    bytes += size
  }
  if (messages.length > from) yield messages.slice(from)
}
