import { asError } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'
import { decodeInexactChange } from '../../events/change-record'
import {
  deadLetterTopic,
  isCapturedTable,
  TOPIC_MESSAGE_BYTES,
  type TopicNames,
} from '../../events/tables'
import { type DeadLetter, type DeadLetters, letterId } from '../../ports/dead-letters'
import { createKafkaConnection, type KafkaClient } from './client'
import { createKeyPartitioner } from './key-partitioner'
import { sendRecords } from './record-sender'

const READ_MS = 60_000

/**
 * Dead letters in a compacted topic of one partition: the last record of an id is the letter, a tombstone its
 * removal.
 */
export function createKafkaDeadLetters(
  client: KafkaClient,
  names: TopicNames,
): DeadLetters & AsyncDisposable {
  const topic = deadLetterTopic(names)
  const producer = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: createKeyPartitioner,
    }),
  )
  const admin = createKafkaConnection(client, (kafka) => kafka.admin())

  async function write(messages: readonly LetterRecord[]): Promise<void> {
    for (const some of requestsOf(messages)) {
      await producer.run((open) => sendRecords(open, [{ topic, messages: some }]))
    }
  }

  /** Hands over every record up to the end that the topic has now. */
  async function read(take: (key: string, value: string | null) => void): Promise<void> {
    const [{ low, high } = { low: '0', high: '0' }] = await admin.run((open) =>
      open.fetchTopicOffsets(topic),
    )
    if (BigInt(low) === BigInt(high)) return
    const session = client.session()
    const groupId = `${topic}.read.${crypto.randomUUID()}`
    const consumer = session.kafka.consumer({ groupId, allowAutoTopicCreation: false })
    const done = Promise.withResolvers<void>()
    const late = setTimeout(
      () => done.reject(new Error(`no end of ${topic} within ${READ_MS} ms`)),
      READ_MS,
    )
    consumer.on('consumer.crash', ({ payload }) => done.reject(payload.error))
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        async eachBatch({ batch }) {
          for (const { key, value } of batch.messages) {
            if (key) take(key.toString(), value?.toString() ?? null)
          }
          if (BigInt(batch.lastOffset()) >= BigInt(high) - 1n) done.resolve()
        },
      })
      await done.promise
    } catch (error) {
      throw storeUnavailable('kafka', error)
    } finally {
      clearTimeout(late)
      await consumer.disconnect().catch(() => {})
      session.drop()
      await admin.run((open) => open.deleteGroups([groupId])).catch(() => {})
    }
  }

  return {
    add: (letters) =>
      write(letters.map((letter) => ({ key: letterId(letter), value: JSON.stringify(letter) }))),

    async all() {
      const letters = new Map<string, DeadLetter>()
      await read((key, value) => {
        if (value === null) letters.delete(key)
        else letters.set(key, decodeLetter(value))
      })
      return [...letters.values()]
    },

    remove: (letters) => write(letters.map((letter) => ({ key: letterId(letter), value: null }))),

    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]()
      await admin[Symbol.asyncDispose]()
    },
  }
}

/** A null value is a tombstone. */
interface LetterRecord {
  readonly key: string
  readonly value: string | null
}

/** Half of what the topic takes at once, so that what a broker counts beside the letters has room. */
const REQUEST_BYTES = TOPIC_MESSAGE_BYTES / 2

/** The records in requests of at most `REQUEST_BYTES`; a larger one goes alone. */
export function requestsOf(records: readonly LetterRecord[]): readonly (readonly LetterRecord[])[] {
  const requests: LetterRecord[][] = []
  let bytes = 0
  for (const record of records) {
    const size = Buffer.byteLength(record.key) + Buffer.byteLength(record.value ?? '')
    const open = requests.at(-1)
    if (open && bytes + size <= REQUEST_BYTES) open.push(record)
    else {
      requests.push([record])
      bytes = 0
    }
    bytes += size
  }
  return requests
}

function decodeLetter(value: string): DeadLetter {
  try {
    const { change, stage, reason, attempts, at } = JSON.parse(value)
    const table = String(change?.source?.table)
    if (!isCapturedTable(table)) throw new TypeError(`there is no table ${table}`)
    if (stage !== 'index' && stage !== 'read') throw new TypeError(`there is no stage ${stage}`)
    return {
      change: decodeInexactChange(table, JSON.stringify(change)),
      stage,
      reason: String(reason),
      attempts: Number(attempts),
      at: Number(at),
    }
  } catch (error) {
    throw new TypeError(`a dead letter cannot be read: ${asError(error).message}`, { cause: error })
  }
}
