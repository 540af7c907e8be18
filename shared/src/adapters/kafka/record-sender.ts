import { CompressionTypes, type Message, type Sender } from 'kafkajs'
import { storeUnavailable } from '../../errors/sns-error'
import { GroupedMessages } from './key-partitioner'

/** Records of one topic in their order, each with a key. */
export interface TopicRecords {
  readonly topic: string
  readonly messages: Iterable<Message>
}

/**
 * Sends records by a producer that places them with `createKeyPartitioner`. Resolves once the leader of each partition
 * that they go to has acknowledged its own on all in-sync replicas, once. The records of a partition stay in order.
 *
 * kafkajs' own promise is not enough: it asks each broker once, so a partition that moves, while others have yet to
 * answer, to a broker that has answered is asked for no more, and one that moves the other way is sent twice.
 *
 * Errors: `store_unavailable`, also for an acknowledgement that is missing; then the producer must be thrown away.
 */
export async function sendRecords(
  sender: Pick<Sender, 'sendBatch'>,
  topics: readonly TopicRecords[],
): Promise<void> {
  const topicMessages = topics.map(({ topic, messages }) => ({ topic, messages: group(messages) }))
  // biome-ignore lint/plugin: what came back is counted here
  const answers = await sender.sendBatch({
    acks: -1,
    compression: CompressionTypes.ZSTD,
    topicMessages,
  })
  const acknowledged = answers.map(({ topicName, partition }) => `${topicName} ${partition}`)
  const sent = topicMessages.flatMap(({ topic, messages: { partitions } }) =>
    (partitions ?? ['of any number']).map((partition) => `${topic} ${partition}`),
  )
  const isFailed = answers.some(({ errorCode }) => errorCode !== 0)
  if (isFailed || acknowledged.sort().join() !== sent.sort().join()) {
    const [asked, answered] = [sent.join(', '), acknowledged.join(', ')]
    throw storeUnavailable(
      'kafka',
      new Error(`records went to ${asked}, and acknowledgements came of ${answered || 'none'}`),
    )
  }
}

function group(messages: Iterable<Message>): GroupedMessages {
  const grouped = new GroupedMessages()
  for (const message of messages) grouped.push(message)
  return grouped
}
