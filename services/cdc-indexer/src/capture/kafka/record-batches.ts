import { OperatorError } from '@sns/shared/errors/operator-error'
import type { ChangeEnvelope } from '@sns/shared/events/change-event'
import { type ChangeRecord, encodeChange } from '@sns/shared/events/change-record'
import { TOPIC_MESSAGE_BYTES, topicName } from '@sns/shared/events/topics'
import type { Message, TopicMessages } from 'kafkajs'

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
