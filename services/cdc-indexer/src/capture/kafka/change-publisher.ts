import { createKafkaConnection } from '@sns/shared/adapters/kafka/connection'
import type { KafkaClient } from '@sns/shared/adapters/kafka/kafka-client'
import { explainKafkaError } from '@sns/shared/adapters/kafka/kafka-error'
import { type BackoffOptions, backoffMs } from '@sns/shared/async/retry'
import { sleep } from '@sns/shared/async/sleep'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { TopicNames } from '@sns/shared/events/topics'
import { CompressionTypes, type TopicMessages } from 'kafkajs'
import type { ChangePublisher } from '../ports/change-publisher'
import { createKeyPartitioner } from './key-partitioner'
import { recordBatches } from './record-batches'

export interface KafkaChangePublisherOptions extends TopicNames {
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
