import {
  createKafkaConnection,
  explainKafkaError,
  type KafkaClient,
} from '@sns/shared/adapters/kafka/client'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { ChangeEnvelope } from '@sns/shared/events/change-event'
import { type ChangeRecord, encodeChange } from '@sns/shared/events/change-record'
import { TOPIC_MESSAGE_BYTES, type TopicNames, topicName } from '@sns/shared/events/tables'
import {
  CompressionTypes,
  type ICustomPartitioner,
  type Message,
  type Producer,
  type TopicMessages,
} from 'kafkajs'
import type { ChangePublisher } from '../ports/change-publisher'

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
  names: TopicNames,
): ChangePublisher & AsyncDisposable {
  /** Those whose callers were asked since they were opened. */
  const confirmed = new WeakSet<Producer>()
  const connection = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      createPartitioner: createKeyPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: transactionalId(names),
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      retry: CONCURRENT_RETRY,
    }),
  )
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
          await transaction.sendBatch({
            acks: -1,
            compression: CompressionTypes.ZSTD,
            topicMessages,
          })
        }
        await transaction.commit()
      }, PUBLISH_MS)
    } catch (error) {
      client.logger.warn({ err: error }, `publishing to Kafka failed: ${explainKafkaError(error)}`)
      client.metrics?.storeErrors.inc({ store: 'kafka' })
      throw error
    }
  }

  return {
    publish(events, mayPublish = async () => true) {
      const published = turn.then(async () => {
        const batches = recordBatches(events, names)
        if (batches.length > 0) await send(batches, mayPublish)
      })
      turn = published.catch(() => {})
      return published
    },
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]()
    },
  }
}

/** One for each database and prefix, whichever process captures. */
function transactionalId({ prefix, database }: TopicNames): string {
  return `${prefix}.capture.${database}`
}

/**
 * A broker ends a transaction a few milliseconds after it said so, and until then refuses the next: kafkajs asks
 * again, at first after so long.
 */
const CONCURRENT_RETRY = {
  initialRetryTime: 5,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
  retries: 9,
}

/** The most that a record takes beside its key and value, and a batch beside its records. */
const RECORD_OVERHEAD_BYTES = 96
const BATCH_OVERHEAD_BYTES = 4096

const BATCH_BYTES = 1_900_000
/** kafkajs sorts a batch into partitions in a time that grows with the square of its records. */
const BATCH_RECORDS = 4_000

/**
 * The records of the events, in their order, cut so that each batch is one request of at most 1.9 MB
 * before compression. A larger record, of up to what a message may have, travels alone.
 */
export function recordBatches(
  events: readonly ChangeEnvelope[],
  names: { readonly prefix: string; readonly database: string },
): TopicMessages[][] {
  const batches: Map<string, Message[]>[] = []
  let open = new Map<string, Message[]>()
  let [bytes, records] = [0, 0]
  for (const record of events.flatMap(encodeChange)) {
    const size = recordBytes(record)
    if (records > 0 && (bytes + size > BATCH_BYTES || records === BATCH_RECORDS)) {
      batches.push(open)
      open = new Map()
      bytes = records = 0
    }
    const topic = topicName(names, record.table)
    const messages = open.get(topic)
    const message = { key: record.key, value: record.value }
    if (messages) messages.push(message)
    else open.set(topic, [message])
    bytes += size
    records++
  }
  if (records > 0) batches.push(open)
  return batches.map((batch) => [...batch].map(([topic, messages]) => ({ topic, messages })))
}

function recordBytes({ table, key, value }: ChangeRecord): number {
  const size =
    Buffer.byteLength(key) + (value === null ? 0 : Buffer.byteLength(value)) + RECORD_OVERHEAD_BYTES
  const most = TOPIC_MESSAGE_BYTES - BATCH_OVERHEAD_BYTES
  if (size > most) {
    throw new OperatorError(
      `a change of ${table} ${key} takes ${size} bytes, more than the ${most} of one Kafka message: ` +
        'shorten or remove that row and let capture read its binlog from after the change',
    )
  }
  return size
}

const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The partition of a key as Java's default partitioner has it, so that Debezium and we put a row's
 * changes into the same one. Several times faster than kafkajs' own, which counts in 64 bits.
 */
export const createKeyPartitioner: ICustomPartitioner =
  () =>
  ({ message, partitionMetadata }) => {
    if (message.key === null || message.key === undefined) throw new TypeError('a key is needed')
    return (murmur2(Buffer.from(message.key)) & 0x7fffffff) % partitionMetadata.length
  }

/** MurmurHash2 by Austin Appleby, 32 bits, with the seed that Kafka chose. */
function murmur2(data: Buffer): number {
  const { length } = data
  const whole = length & ~3
  let hash = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let word = Math.imul(data.readInt32LE(i), M)
    word = Math.imul(word ^ (word >>> 24), M)
    hash = Math.imul(hash, M) ^ word
  }
  if (length > whole) {
    for (let i = length - 1; i >= whole; i--) hash ^= (data[i] ?? 0) << ((i - whole) * 8)
    hash = Math.imul(hash, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
