import type { Consumer } from 'kafkajs'
import { type BackoffOptions, backoffMs } from '../../async/retry'
import { sleep, whenAborted } from '../../async/sleep'
import { asError } from '../../errors/driver-error'
import { isSnsError } from '../../errors/sns-error'
import { type CapturedTable, type TopicNames, topicName } from '../../events/tables'
import { otherSize, type WrittenTopics } from '../../events/written-topics'
import type { ChangeLog, ConsumeOptions } from '../../ports/change-log'
import type { DeadLetters } from '../../ports/dead-letters'
import type { LogSources } from '../../ports/log-sources'
import { STOP_GRACE_MS } from '../change-delivery'
import { createKafkaConnection, type KafkaClient } from './client'
import { createKafkaDeadLetters } from './dead-letters'
import { describeKafkaError } from './errors'
import { createPartitionWorker, type MemberTiming } from './partition-worker'
import { partitionName, type RecordCountsDeps, readCount } from './record-counts'

interface KafkaChangeLogOptions extends TopicNames {
  /** Partitions that one consumer works on at once; the order within each is kept. */
  readonly concurrency?: number
  /** For groups that need sequences: opened when the first record comes without one. */
  readonly sources?: () => Promise<LogSources>
  /** Which topics are written; by default the first ones, of any size. */
  readonly written?: () => Promise<WrittenTopics | null>
}

/** How often a member looks whether it reads the topics that are written. */
const LOOK_MS = 3_000

const REJOIN_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 3_000 }

/** A membership that lasted this long was sound: the next failure is a first one again. */
const SOUND_MS = 60_000

/**
 * The log in Kafka: one topic a table. A batch is what one fetch brings, of any partitions on one broker; while it
 * fails, they all wait, and the consumer fetches nothing more from that broker.
 */
export function createKafkaChangeLog(
  client: KafkaClient,
  { prefix, database, concurrency = 4, sources, written = async () => null }: KafkaChangeLogOptions,
): ChangeLog & AsyncDisposable {
  const connection = createKafkaConnection(client, (kafka) => kafka.admin())
  const deadLetters = createKafkaDeadLetters(client, { prefix, database })

  let known: WrittenTopics | null | undefined
  /** As last known while the database does not answer. */
  async function notedNow(): Promise<WrittenTopics | null> {
    try {
      known = await written()
    } catch (error) {
      if (known === undefined) throw error
    }
    return known
  }

  async function namesNow(): Promise<Required<TopicNames>> {
    return { prefix, database, generation: (await notedNow())?.generation ?? 1 }
  }

  /** Throws where a topic that has grown since it was noted holds records that were placed by its new size. */
  async function requirePlaced(names: TopicNames, tables: readonly CapturedTable[]) {
    const noted = await notedNow()
    if (!noted) return
    for (const table of tables) {
      const was = noted.partitions[table]
      const found = await connection.run((admin) =>
        admin.fetchTopicOffsets(topicName(names, table)),
      )
      if (found.some(({ partition, high }) => partition >= was && Number(high) > 0)) {
        throw new Error(otherSize(names, table, { was, is: found.length }))
      }
    }
  }

  /** Resolves once other topics are written, or the signal aborts; rejects where these can no longer be read in order. */
  async function untilReplaced(
    names: Required<TopicNames>,
    tables: readonly CapturedTable[],
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await sleep(LOOK_MS, signal)
      const now = await namesNow()
      if (now.generation !== names.generation) return
      await requirePlaced(names, tables).catch((error) => {
        if (!isSnsError(error)) throw error
      })
    }
  }

  /** By partition, what the group has committed. */
  async function committedBy(group: string, tables: readonly CapturedTable[]) {
    const names = await namesNow()
    const topics = tables.map((table) => topicName(names, table))
    const committed = await connection.run((admin) =>
      admin.fetchOffsets({ groupId: group, topics }),
    )
    return committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset, metadata }) => ({
        name: partitionName(topic, partition),
        offset: Number(offset),
        count: readCount(metadata),
      })),
    )
  }

  /** By partition, the offset of the first record that the group has not finished. */
  async function positionsOf(group: string, tables: readonly CapturedTable[]) {
    const committed = await committedBy(group, tables)
    return new Map(committed.map(({ name, offset }) => [name, offset]))
  }

  function countingOf(group: string, tables: readonly CapturedTable[]): RecordCountsDeps {
    const known = async () => {
      if (sources) return await sources()
      throw new Error('a record came without a sequence, and there is no database to ask')
    }
    return {
      sources: {
        recognize: async (gtid) => (await known()).recognize(gtid),
        leap: async (gtid) => (await known()).leap(gtid),
      },
      async committed() {
        const committed = await committedBy(group, tables)
        return new Map(committed.flatMap(({ name, count }) => (count ? [[name, count]] : [])))
      },
    }
  }

  /** By partition, the offsets of its first record and behind its last. */
  async function endsOf(tables: readonly CapturedTable[]) {
    const names = await namesNow()
    const topics = tables.map((table) => topicName(names, table))
    const found = await connection.run((admin) =>
      Promise.all(
        topics.map(async (topic) => ({ topic, partitions: await admin.fetchTopicOffsets(topic) })),
      ),
    )
    return new Map(
      found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, low, high }) => [
          partitionName(topic, partition),
          { low: Number(low), high: Number(high) },
        ]),
      ),
    )
  }

  return {
    async consume(options) {
      const counting = options.needsSequence ? countingOf(options.group, options.tables) : null
      for (let failures = 0; !options.signal.aborted; ) {
        const since = performance.now()
        const over = new AbortController()
        const signal = AbortSignal.any([options.signal, over.signal])
        try {
          const names = await namesNow()
          await requirePlaced(names, options.tables)
          const looking = untilReplaced(names, options.tables, signal).finally(() => over.abort())
          looking.catch(() => {})
          const topics = new Map(options.tables.map((table) => [topicName(names, table), table]))
          const member = { ...options, signal, topics, concurrency, deadLetters, counting }
          await runGroupMember(client, member).finally(() => over.abort())
          await looking
          options.onMembership?.(false)
        } catch (error) {
          options.onMembership?.(false)
          failures = performance.now() - since > SOUND_MS ? 1 : failures + 1
          client.metrics?.storeRetries.inc({ store: 'kafka' })
          client.logger.warn(
            { err: error, group: options.group, failures },
            `a consumer lost Kafka and joins anew: ${describeKafkaError(client, error)}`,
          )
          await sleep(backoffMs(failures, REJOIN_BACKOFF), options.signal)
        }
      }
    },

    async backlog(group, tables) {
      const [positions, ends] = await Promise.all([positionsOf(group, tables), endsOf(tables)])
      let backlog = 0
      for (const [partition, { low, high }] of ends) {
        backlog += Math.max(0, high - Math.max(positions.get(partition) ?? -1, low))
      }
      return backlog
    },

    async end(tables) {
      const ends = [...(await endsOf(tables))]
      return new Map(ends.flatMap(([name, { low, high }]) => (high > low ? [[name, high]] : [])))
    },

    async hasFinished(group, tables, end) {
      const [positions, ends] = await Promise.all([positionsOf(group, tables), endsOf(tables)])
      return [...end].every(([partition, at]) => {
        const low = ends.get(partition)?.low
        if (low === undefined) {
          throw new Error(`${partition} is no longer written: other topics have taken its place`)
        }
        // What is no longer there need not be read.
        return Math.max(positions.get(partition) ?? -1, low) >= at
      })
    },

    async [Symbol.asyncDispose]() {
      await deadLetters[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}

interface GroupMemberOptions<T extends CapturedTable> extends Omit<ConsumeOptions<T>, 'tables'> {
  readonly topics: ReadonlyMap<string, T>
  readonly deadLetters: Pick<DeadLetters, 'add'>
  /** Null: nobody needs sequences. */
  readonly counting: RecordCountsDeps | null
  /** Partitions worked on at once. */
  readonly concurrency: number
  readonly timing?: MemberTiming
}

/**
 * A worker that was killed is noticed, and its partitions given away, after a session: the shortest that
 * brokers accept by default, as its posts wait that long.
 */
const TIMING: MemberTiming = { session: 6_000, heartbeat: 1_500, rebalance: 30_000 }

/** The longest poll; also how long leaving may take when nothing arrives. */
const FETCH_WAIT_MS = 500

/** A member that has shown no sign of life for this long is wedged, whatever kafkajs thinks. */
const SILENCE_MS = 45_000

const DISCONNECT_MS = 3_000

/**
 * One membership in a consumer group. Resolves after `signal` aborted, the batches in hand are done
 * and the group is left; rejects when it cannot go on, and then nothing of it goes on.
 */
async function runGroupMember<T extends CapturedTable>(
  client: KafkaClient,
  options: GroupMemberOptions<T>,
): Promise<void> {
  const { group, topics, concurrency, signal, timing = TIMING } = options
  const session = client.session()
  const consumer = session.kafka.consumer({
    groupId: group,
    sessionTimeout: timing.session,
    heartbeatInterval: timing.heartbeat,
    rebalanceTimeout: timing.rebalance,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: 131_072,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: async () => false },
  })
  const worker = createPartitionWorker({ ...options, timing, logger: client.logger })
  consumer.on('consumer.group_join', () => {
    worker.joined()
    options.onMembership?.(true)
  })
  const death = watchForDeath(consumer)
  const over = new AbortController()
  const told = whenAborted(signal, over.signal)

  async function start(): Promise<void> {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: worker.eachBatch,
    })
  }

  try {
    await Promise.race([start(), death.promise, told])
    await Promise.race([death.promise, told])
  } catch (error) {
    worker.abandon(asError(error))
    throw error
  } finally {
    death.release()
    over.abort()
    const impatient = setTimeout(() => worker.abandon(new Error('stopping')), STOP_GRACE_MS)
    const left = consumer.disconnect().catch(() => {})
    await Promise.race([worker.settled(), sleep(STOP_GRACE_MS + DISCONNECT_MS)])
    await Promise.race([left, sleep(DISCONNECT_MS)])
    clearTimeout(impatient)
    session.drop()
  }
}

/** Rejects when kafkajs gives up or when nothing has been heard of it for too long. */
function watchForDeath(consumer: Consumer) {
  const { promise, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let seen = performance.now()
  const alive = () => {
    seen = performance.now()
  }
  const stops = [
    consumer.on('consumer.heartbeat', alive),
    consumer.on('consumer.fetch', alive),
    consumer.on('consumer.group_join', alive),
    consumer.on('consumer.commit_offsets', alive),
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error)),
  ]
  const timer = setInterval(() => {
    const silence = performance.now() - seen
    if (silence > SILENCE_MS) reject(new Error(`the consumer was silent for ${silence} ms`))
  }, 1_000)
  return {
    promise,
    release() {
      clearInterval(timer)
      for (const stop of stops) stop()
    },
  }
}
