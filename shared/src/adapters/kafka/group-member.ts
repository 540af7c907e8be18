import type { Consumer } from 'kafkajs'
import { sleep, whenAborted } from '../../async/sleep'
import { asError } from '../../errors/as-error'
import type { CapturedTable } from '../../events/tables'
import type { ConsumeOptions } from '../../ports/change-log'
import { STOP_GRACE_MS } from '../change-delivery'
import type { KafkaClient } from './kafka-client'
import { createPartitionWorker, type MemberTiming } from './partition-worker'

export interface GroupMemberOptions<T extends CapturedTable>
  extends Omit<ConsumeOptions<T>, 'tables'> {
  readonly topics: ReadonlyMap<string, T>
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
export async function runGroupMember<T extends CapturedTable>(
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
