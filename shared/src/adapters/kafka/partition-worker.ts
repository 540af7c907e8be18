import { type EachBatchPayload, KafkaJSNonRetriableError } from 'kafkajs'
import { asError } from '../../errors/driver-error'
import type { ChangeEvent } from '../../events/change-event'
import { decodeChange } from '../../events/change-record'
import type { CapturedTable } from '../../events/tables'
import type { Logger } from '../../observability/logger'
import type { ConsumeOptions } from '../../ports/change-log'
import { deliver } from '../change-delivery'
import { brokerErrorType } from './client'

export interface PartitionWorkerOptions<T extends CapturedTable>
  extends Pick<ConsumeOptions<T>, 'handle' | 'onRetry' | 'maxBatch' | 'signal'> {
  readonly topics: ReadonlyMap<string, T>
  readonly logger: Logger
  readonly timing: MemberTiming
}

/** Milliseconds. */
export interface MemberTiming {
  /** After this without a heartbeat the group gives a member's partitions to others. */
  readonly session: number
  readonly heartbeat: number
  /** How long a rebalance waits for members that finish the batch in hand. */
  readonly rebalance: number
}

/** Does the work of a group member, several partitions at once, each in its order. */
export interface PartitionWorker {
  eachBatch(payload: EachBatchPayload): Promise<void>
  /** The group has (re)joined: what was wrong with the membership before no longer counts. */
  joined(): void
  /** Tells handlers in hand that nobody waits for them any more. */
  abandon(reason: Error): void
  /** Resolves when no batch is in hand. */
  settled(): Promise<void>
}

/** One generation of the group, as far as its membership still holds. */
interface Membership {
  /** Aborts when no further batch is to be begun: told to stop, or the group rebalances. */
  readonly leaving: AbortController
  /** Aborts when what is in hand can no longer be committed. */
  readonly lost: AbortController
  /** What kafkajs must be told so that it rejoins. */
  cause: unknown
}

const MEMBERSHIP_LOST = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
const REBALANCING = new Set(['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP'])

export function createPartitionWorker<T extends CapturedTable>(
  options: PartitionWorkerOptions<T>,
): PartitionWorker {
  const { signal, timing } = options
  const inHand = new Set<Promise<void>>()
  let membership = createMembership()
  const stop = () => membership.leaving.abort()
  signal.addEventListener('abort', stop, { once: true })

  async function work(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const mine = membership
    const ticking = keepAlive(payload, mine, timing)
    try {
      let index = 0
      while (index < batch.messages.length && mayGoOn(payload, mine)) {
        const next = readChunk(payload, index, options)
        if (
          !(await deliver(
            next.events,
            { ...options, signal: mine.leaving.signal },
            mine.lost.signal,
          ))
        )
          break
        if (next.end > index) await commit(payload, next.end)
        index = next.end
        if (next.malformed) await refuse(payload, next.malformed, mine, options)
      }
      if (mine.cause) throw mine.cause
    } finally {
      clearInterval(ticking)
    }
  }

  return {
    async eachBatch(payload) {
      const working = work(payload)
      inHand.add(working)
      try {
        await working
      } finally {
        inHand.delete(working)
      }
    },
    joined() {
      membership = createMembership()
      if (signal.aborted) stop()
    },
    abandon(reason) {
      membership.leaving.abort(reason)
      membership.lost.abort(reason)
    },
    async settled() {
      signal.removeEventListener('abort', stop)
      await Promise.allSettled(inHand)
    },
  }
}

function createMembership(): Membership {
  return { leaving: new AbortController(), lost: new AbortController(), cause: null }
}

function mayGoOn({ isRunning, isStale }: EachBatchPayload, { leaving }: Membership): boolean {
  return isRunning() && !isStale() && !leaving.signal.aborted
}

/** Heartbeats while a batch is in hand, and notices when the membership ends. */
function keepAlive({ heartbeat }: EachBatchPayload, mine: Membership, timing: MemberTiming) {
  let alive = performance.now()
  const lose = (error: unknown) => {
    mine.cause ??= error
    mine.leaving.abort(error)
    mine.lost.abort(error)
  }
  const tick = () => {
    const silence = performance.now() - alive
    if (silence > timing.session) {
      lose(new KafkaJSNonRetriableError(`no heartbeat got through for ${Math.round(silence)} ms`))
    }
    heartbeat().then(
      () => {
        alive = performance.now()
      },
      (error: unknown) => {
        const type = brokerErrorType(error) ?? ''
        if (MEMBERSHIP_LOST.has(type)) lose(error)
        if (!REBALANCING.has(type) || mine.cause) return
        mine.cause = error
        mine.leaving.abort(error)
        const patience = setTimeout(() => lose(error), timing.rebalance * 0.7)
        mine.lost.signal.addEventListener('abort', () => clearTimeout(patience), { once: true })
      },
    )
  }
  return setInterval(tick, timing.heartbeat / 2)
}

interface Chunk<T extends CapturedTable> {
  readonly events: readonly ChangeEvent<T>[]
  /** Index of the first message after the chunk. */
  readonly end: number
  /** What is wrong with the message at `end`. */
  readonly malformed: Error | null
}

/** The next events, up to `maxBatch` of them; tombstones are passed over, they bring no event. */
function readChunk<T extends CapturedTable>(
  { batch }: EachBatchPayload,
  start: number,
  { topics, maxBatch }: PartitionWorkerOptions<T>,
): Chunk<T> {
  const events: ChangeEvent<T>[] = []
  let end = start
  for (; end < batch.messages.length && events.length < maxBatch; end++) {
    const message = batch.messages[end]
    if (!message?.value) continue
    try {
      const table = topics.get(batch.topic)
      if (!table) throw new TypeError('the topic was not asked for')
      events.push(decodeChange(table, message.value.toString()))
    } catch (error) {
      const where = `${batch.topic} partition ${batch.partition} offset ${message.offset}`
      const malformed = new Error(`malformed change at ${where}: ${asError(error).message}`, {
        cause: error,
      })
      return { events, end, malformed }
    }
  }
  return { events, end, malformed: null }
}

/** Moves the group past the messages before `end`, and past what kafkajs left out after the last. */
async function commit(payload: EachBatchPayload, end: number): Promise<void> {
  const { batch, commitOffsetsIfNecessary, resolveOffset } = payload
  const { topic, partition } = batch
  const last = batch.messages[end - 1]?.offset
  if (last === undefined) return
  const done = end === batch.messages.length ? batch.lastOffset() : last
  const offset = (BigInt(done) + 1n).toString()
  await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] })
  resolveOffset(last)
}

/**
 * Stands still before a record that is no change of its table: only a stranger can have written it to
 * our topic, and what it replaces there is unknown, so passing it over might lose a change. Says so until an
 * operator moves the group's offset past it.
 */
async function refuse<T extends CapturedTable>(
  payload: EachBatchPayload,
  malformed: Error,
  mine: Membership,
  options: PartitionWorkerOptions<T>,
): Promise<void> {
  const { topic, partition } = payload.batch
  const handle = async () => {
    options.logger.error(
      { err: malformed, topic, partition },
      `${malformed.message}; the consumer waits there: remove what writes to the topic and move the group past it`,
    )
    throw malformed
  }
  await deliver([], { ...options, handle, signal: mine.leaving.signal }, mine.lost.signal)
}
