import {
  createKafkaConnection,
  explainKafkaError,
  type KafkaClient,
} from '@sns/shared/adapters/kafka/client'
import { type BackoffOptions, backoffMs } from '@sns/shared/async/retry'
import { sleep } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { ChangeEnvelope } from '@sns/shared/events/change-event'
import { type ChangeRecord, encodeChange } from '@sns/shared/events/change-record'
import { TOPIC_MESSAGE_BYTES, type TopicNames, topicName } from '@sns/shared/events/tables'
import {
  CompressionTypes,
  type ICustomPartitioner,
  type Message,
  type TopicMessages,
} from 'kafkajs'
import type { ChangePublisher } from '../ports/change-publisher'

interface KafkaChangePublisherOptions extends TopicNames {
  /** How often one batch is sent before `publish` gives up. */
  readonly attempts?: number
}

const BACKOFF: BackoffOptions = { baseMs: 200, capMs: 5_000 }

/**
 * Publishes with an idempotent producer, one request at a time: what kafkajs repeats within a request
 * is neither doubled nor reordered by the broker. After a failed request the producer is thrown away
 * and can send no more: kafkajs would give the next batch the failed one's sequence numbers, and a
 * broker that did have the failed one would take the next for its repetition and drop it.
 */
export function createKafkaChangePublisher(
  client: KafkaClient,
  options: KafkaChangePublisherOptions,
): ChangePublisher & AsyncDisposable {
  const { attempts = 4 } = options
  const stop = new AbortController()
  const connection = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      createPartitioner: createKeyPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
    }),
  )
  let turn: Promise<unknown> = Promise.resolve()

  async function send(topicMessages: TopicMessages[], mayGoOn: () => boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (!mayGoOn()) throw storeUnavailable('kafka', new Error('it may no longer publish'))
      try {
        await connection.run((producer) =>
          producer.sendBatch({ acks: -1, compression: CompressionTypes.ZSTD, topicMessages }),
        )
        return
      } catch (error) {
        const last = attempt >= attempts || stop.signal.aborted
        client.logger.warn(
          { err: error, attempt },
          `publishing to Kafka failed: ${explainKafkaError(error)}`,
        )
        client.metrics?.[last ? 'storeErrors' : 'storeRetries'].inc({ store: 'kafka' })
        if (last) throw error
        await sleep(backoffMs(attempt, BACKOFF), stop.signal)
      }
    }
  }

  return {
    publish(events, mayGoOn = () => true) {
      const published = turn.then(async () => {
        for (const batch of recordBatches(events, options)) await send(batch, mayGoOn)
      })
      turn = published.catch(() => {})
      return published
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await connection[Symbol.asyncDispose]()
    },
  }
}

/** The most that a record takes beside its key and value, and a batch beside its records. */
const RECORD_OVERHEAD_BYTES = 96
const BATCH_OVERHEAD_BYTES = 4096

const BATCH_BYTES = 1_000_000
/** kafkajs sorts a batch into partitions in a time that grows with the square of its records. */
const BATCH_RECORDS = 4_000

/**
 * The records of the events, in their order, cut so that each batch is one request of at most about a
 * megabyte before compression. A record of up to twice that travels alone.
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
