import { createKafkaConnection, type KafkaClient } from '@sns/shared/adapters/kafka/client'
import { describeKafkaError } from '@sns/shared/adapters/kafka/errors'
import { createKeyPartitioner } from '@sns/shared/adapters/kafka/key-partitioner'
import { sendRecords } from '@sns/shared/adapters/kafka/record-sender'
import { readTopicSizes, requireSizes } from '@sns/shared/adapters/kafka/topic-sizes'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { EncodedChange } from '@sns/shared/events/change-record'
import {
  type CapturedTable,
  capturedTables,
  TOPIC_MESSAGE_BYTES,
  type TopicNames,
  topicName,
} from '@sns/shared/events/tables'
import { otherSize, type WrittenTopics } from '@sns/shared/events/written-topics'
import type { Message, PartitionerArgs, Producer, ProducerConfig, TopicMessages } from 'kafkajs'
import type { ChangePublisher } from '../ports/change-publisher'
import { readPublishedTail } from './published-tail'

/**
 * After so long the broker aborts a transaction that nobody ends, when capture died and none takes its place:
 * until then readers do not get past it.
 */
const TRANSACTION_TIMEOUT_MS = 30_000
/** The longest answer to a whole batch: a few requests. */
const PUBLISH_MS = 20_000

/**
 * Publishes each batch as one transaction under one transactional id for each database. A new producer's
 * `InitProducerId` ends what an earlier one left open and raises the epoch: the brokers refuse all that was
 * sent under a lower one, also what a stalled connection delivers later (KIP-98). Within a transaction there is
 * one request at a time. After a failure the producer is thrown away.
 */
export function createKafkaChangePublisher(
  client: KafkaClient,
  first: TopicNames,
): ChangePublisher & AsyncDisposable {
  let names = first
  let written: WrittenTopics | null = null
  /** Those whose callers were asked since they were opened. */
  const confirmed = new WeakSet<Producer>()
  const connection = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      ...transactionOptions(transactionalId(names)),
      createPartitioner: createPinnedPartitioner,
    }),
  )
  const asking = createKafkaConnection(client, (kafka) => kafka.admin())

  /** Refuses a key's topic that has grown since it was noted: kafkajs looks at sizes anew whenever it likes. */
  function createPinnedPartitioner() {
    const place = createKeyPartitioner()
    return (record: PartitionerArgs) => {
      const table = capturedTables.find((each) => topicName(names, each) === record.topic)
      const is = record.partitionMetadata.length
      const was = table === undefined ? undefined : written?.partitions[table]
      if (table !== undefined && was !== undefined && was !== is) {
        throw new OperatorError(otherSize(names, table, { was, is }))
      }
      return place(record)
    }
  }

  let turn: Promise<unknown> = Promise.resolve()

  async function send(
    batches: readonly TopicMessages[][],
    mayPublish: () => Promise<boolean>,
  ): Promise<void> {
    try {
      await connection.run(async (producer) => {
        const transaction = await producer.transaction()
        if (!confirmed.has(producer) && !(await mayPublish())) {
          throw storeUnavailable('kafka', new Error('it may not publish'))
        }
        confirmed.add(producer)
        for (const topicMessages of batches) {
          await sendRecords(transaction, topicMessages)
        }
        await transaction.commit()
      }, PUBLISH_MS)
    } catch (error) {
      client.logger.warn(
        { err: error },
        `publishing to Kafka failed: ${describeKafkaError(client, error)}`,
      )
      client.metrics?.storeErrors.inc({ store: 'kafka' })
      throw error
    }
  }

  return {
    async use(noted) {
      const generation = noted?.generation ?? 1
      names = { ...first, generation }
      const partitions = await asking.run((admin) => readTopicSizes(admin, names))
      if (!noted && capturedTables.some((table) => partitions[table] === 0)) {
        throw storeUnavailable('kafka', new Error('a topic is missing: run `migrate`'))
      }
      if (noted) requireSizes(names, noted.partitions, partitions)
      written = noted ?? { generation, partitions }
      return written
    },
    publish(changes, mayPublish = async () => true) {
      const published = turn.then(async () => {
        const batches = recordBatches(changes, names)
        if (batches.length > 0) await send(batches, mayPublish)
      })
      turn = published.catch(() => {})
      return published
    },
    tail: () => readPublishedTail(client, names),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}

/** One for each database and prefix, whichever process captures. */
export function transactionalId({ prefix, database }: TopicNames): string {
  return `${prefix}.capture.${database}`
}

/** Of a producer that shuts out the one before it, and has one request at a time. */
export function transactionOptions(id: string): ProducerConfig {
  return {
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: id,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    retry: CONCURRENT_RETRY,
  }
}

/**
 * A broker ends a transaction a few milliseconds after it said so, and until then refuses the next: kafkajs asks
 * again, at first after so long.
 */
const CONCURRENT_RETRY = {
  initialRetryTime: 2,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
  retries: 9,
}

/** The most that a record takes beside its key and value, and a batch beside its records. */
const RECORD_OVERHEAD_BYTES = 96
const BATCH_OVERHEAD_BYTES = 4096

const BATCH_BYTES = 1_900_000

/**
 * The records of the changes in their order, after a delete a tombstone, with which compaction forgets the row; cut so
 * that each batch is one request of at most 1.9 MB before compression. A larger record, of up to what a message may
 * have, travels alone.
 */
export function recordBatches(
  changes: readonly EncodedChange[],
  names: TopicNames,
): TopicMessages[][] {
  const batches: Map<CapturedTable, Message[]>[] = []
  let open = new Map<CapturedTable, Message[]>()
  let bytes = 0
  for (const change of changes) {
    const { table, key, value, op } = change
    const size = recordBytes(change)
    if (open.size > 0 && bytes + size > BATCH_BYTES) {
      batches.push(open)
      open = new Map()
      bytes = 0
    }
    let messages = open.get(table)
    if (!messages) {
      messages = []
      open.set(table, messages)
    }
    messages.push({ key, value })
    if (op === 'd') messages.push({ key, value: null })
    bytes += size
  }
  if (open.size > 0) batches.push(open)
  return batches.map((batch) =>
    [...batch].map(([table, messages]) => ({ topic: topicName(names, table), messages })),
  )
}

/** With a tombstone, which has the same key, also that of it. */
function recordBytes({ table, key, op, bytes }: EncodedChange): number {
  const size = bytes + RECORD_OVERHEAD_BYTES
  const most = TOPIC_MESSAGE_BYTES - BATCH_OVERHEAD_BYTES
  if (size > most) {
    throw new OperatorError(
      `a change of ${table} ${key} takes ${size} bytes, more than the ${most} of one Kafka message: ` +
        'shorten or remove that row and let capture read its binlog from after the change',
    )
  }
  return op === 'd' ? size + Buffer.byteLength(key) + RECORD_OVERHEAD_BYTES : size
}
