import { type BackoffOptions, backoffMs } from '../../async/retry'
import { sleep } from '../../async/sleep'
import type { CapturedTable } from '../../events/tables'
import { type TopicNames, topicName } from '../../events/topics'
import type { ChangeLog } from '../../ports/change-log'
import { createKafkaConnection } from './connection'
import { runGroupMember } from './group-member'
import type { KafkaClient } from './kafka-client'
import { explainKafkaError } from './kafka-error'

export interface KafkaChangeLogOptions extends TopicNames {
  /** Partitions that one consumer works on at once; the order within each is kept. */
  readonly concurrency?: number
}

const REJOIN_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 3_000 }

/** A membership that lasted this long was sound: the next failure is a first one again. */
const SOUND_MS = 60_000

/**
 * The log in Kafka: one topic a table. What a batch brings is of one partition of one topic. While a
 * batch fails, its consumer's other partitions on the same broker wait too after their next batch.
 */
export function createKafkaChangeLog(
  client: KafkaClient,
  { prefix, database, concurrency = 4 }: KafkaChangeLogOptions,
): ChangeLog & AsyncDisposable {
  const connection = createKafkaConnection(client, (kafka) => kafka.admin())
  const topicOf = (table: CapturedTable) => topicName({ prefix, database }, table)

  return {
    async consume(options) {
      const topics = new Map(options.tables.map((table) => [topicOf(table), table]))
      for (let failures = 0; !options.signal.aborted; ) {
        const since = performance.now()
        try {
          await runGroupMember(client, { ...options, topics, concurrency })
        } catch (error) {
          options.onMembership?.(false)
          failures = performance.now() - since > SOUND_MS ? 1 : failures + 1
          client.metrics?.storeRetries.inc({ store: 'kafka' })
          client.logger.warn(
            { err: error, group: options.group, failures },
            `a consumer lost Kafka and joins anew: ${explainKafkaError(error)}`,
          )
          await sleep(backoffMs(failures, REJOIN_BACKOFF), options.signal)
        }
      }
    },

    async backlog(group, tables) {
      const topics = tables.map(topicOf)
      const [committed, ends] = await connection.run((admin) =>
        Promise.all([
          admin.fetchOffsets({ groupId: group, topics }),
          Promise.all(
            topics.map(async (topic) => ({
              topic,
              partitions: await admin.fetchTopicOffsets(topic),
            })),
          ),
        ]),
      )
      const done = new Map(
        committed.flatMap(({ topic, partitions }) =>
          partitions.map(({ partition, offset }) => [`${topic}:${partition}`, Number(offset)]),
        ),
      )
      let backlog = 0
      for (const { topic, partitions } of ends) {
        for (const { partition, high, low } of partitions) {
          const position = Math.max(done.get(`${topic}:${partition}`) ?? -1, Number(low))
          backlog += Math.max(0, Number(high) - position)
        }
      }
      return backlog
    },

    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
