import { type EachBatchPayload, KafkaJSNonRetriableError } from 'kafkajs'
import { inOneTurn } from '../../async/in-one-turn'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import type { ChangeEvent } from '../../events/change-event'
import { decodeChange, decodeInexactChange } from '../../events/change-record'
import { type CapturedTable, UnreadableRowError } from '../../events/tables'
import type { Logger } from '../../observability/logger'
import type { ConsumeOptions } from '../../ports/change-log'
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters'
import { deliver } from '../change-delivery'
import { brokerErrorType } from './errors'
import {
  createRecordCounts,
  type RecordCount,
  type RecordCountsDeps,
  writeCount,
} from './record-counts'

export interface PartitionWorkerOptions<T extends CapturedTable>
  extends Pick<ConsumeOptions<T>, 'handle' | 'onRetry' | 'onPutAside' | 'maxBatch' | 'signal'> {
  readonly deadLetters: Pick<DeadLetters, 'add'>
  /** Where counts of records without a sequence are kept; null: nobody needs sequences. */
  readonly counting: RecordCountsDeps | null
  /** Its full name, as Kafka's tools take it. */
  readonly group: string
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

/**
 * Does the work of a group member, several partitions at once, each in its order. What one fetch brings of them is
 * handed over and committed together, up to `maxBatch`: statements and requests for ten events cost little more than
 * for one.
 */
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
interface Membership<T extends CapturedTable> {
  /** Hands a piece over and commits it; false where it was not done. */
  readonly finish: (piece: Piece<T>) => Promise<boolean>
  /** Aborts when no further batch is to be begun: told to stop, or the group rebalances. */
  readonly leaving: AbortController
  /** Aborts when what is in hand can no longer be committed. */
  readonly lost: AbortController
  /** What kafkajs must be told so that it rejoins. */
  cause: unknown
}

const MEMBERSHIP_LOST = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
const REBALANCING = new Set(['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP'])

/** Part of what a fetch brought of one partition. */
interface Piece<T extends CapturedTable> {
  readonly payload: EachBatchPayload
  readonly chunk: Chunk<T>
}

/** A piece whose events have sequences, where those are needed. */
interface NumberedPiece<T extends CapturedTable> extends Piece<T> {
  readonly events: readonly ChangeEvent<T>[]
  readonly count: RecordCount | null
}

export function createPartitionWorker<T extends CapturedTable>(
  options: PartitionWorkerOptions<T>,
): PartitionWorker {
  const { signal, timing } = options
  const inHand = new Set<Promise<void>>()
  let membership = createMembership(options)
  const stop = () => membership.leaving.abort()
  signal.addEventListener('abort', stop, { once: true })

  async function work(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const mine = membership
    const ticking = keepAlive(payload, mine, timing)
    try {
      let index = 0
      while (index < batch.messages.length && mayGoOn(payload, mine)) {
        const chunk = readChunk(payload, index, options)
        if (!(await mine.finish({ payload, chunk }))) break
        index = chunk.end
        if (chunk.malformed) await refuse(payload, chunk.malformed, mine, options)
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
      membership = createMembership(options)
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

function createMembership<T extends CapturedTable>(
  options: PartitionWorkerOptions<T>,
): Membership<T> {
  const [leaving, lost] = [new AbortController(), new AbortController()]
  const counts = options.counting && createRecordCounts(options.counting)

  /** The pieces with sequences, and what is kept with the offset behind each. */
  async function number(pieces: readonly Piece<T>[]): Promise<readonly NumberedPiece<T>[]> {
    const numbered: NumberedPiece<T>[] = []
    for (const piece of pieces) {
      const { topic, partition } = piece.payload.batch
      const { events } = piece.chunk
      const counter = counts && (await counts.of(topic, partition))
      const counted = counter
        ? await counter.count(events).catch((error: unknown) => {
            throw unknownSource(error, piece.payload, options)
          })
        : { events, count: null }
      numbered.push({ ...piece, ...counted })
    }
    return numbered
  }

  const finish = inOneTurn({
    limit: options.maxBatch,
    sizeOf: ({ chunk }: Piece<T>) => chunk.events.length,
    async work(pieces) {
      const events = pieces.flatMap(({ chunk }) => chunk.events)
      const letters = pieces.flatMap(({ chunk }) => chunk.unreadable)
      let numbered: readonly NumberedPiece<T>[] | null = null
      const handle: ConsumeOptions<T>['handle'] = async (_, signal) => {
        numbered ??= await number(pieces)
        const given = numbered.flatMap((each) => each.events)
        if (given.length > 0 || letters.length === 0) await options.handle(given, signal)
        if (letters.length > 0) await options.deadLetters.add(letters)
      }
      const delivery = { ...options, handle, signal: leaving.signal }
      const isDone = await deliver(events, delivery, lost.signal)
      if (isDone) for (const { reason } of letters) options.onPutAside?.(reason)
      if (isDone && numbered) await commit(numbered)
      return isDone
    },
  })
  return { finish, leaving, lost, cause: null }
}

function mayGoOn<T extends CapturedTable>(
  { isRunning, isStale }: EachBatchPayload,
  { leaving }: Membership<T>,
): boolean {
  return isRunning() && !isStale() && !leaving.signal.aborted
}

/** Heartbeats while a batch is in hand, and notices when the membership ends. */
function keepAlive<T extends CapturedTable>(
  { heartbeat }: EachBatchPayload,
  mine: Membership<T>,
  timing: MemberTiming,
) {
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
  /** Those between them that nobody can read. */
  readonly unreadable: readonly DeadLetter[]
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
  const unreadable: DeadLetter[] = []
  let end = start
  for (; end < batch.messages.length && events.length < maxBatch; end++) {
    const message = batch.messages[end]
    if (!message?.value) continue
    const where = `${batch.topic} partition ${batch.partition} offset ${message.offset}`
    const value = message.value.toString()
    const table = topics.get(batch.topic)
    try {
      if (!table) throw new TypeError('the topic was not asked for')
      events.push(decodeChange(table, value))
    } catch (error) {
      if (table && error instanceof UnreadableRowError) {
        const reason = `change at ${where}, key ${message.key?.toString()}: ${error.message}`
        const change: ChangeEvent = decodeInexactChange<CapturedTable>(table, value)
        unreadable.push({ change, stage: 'read', reason, attempts: 1, at: change.ts_ms })
        continue
      }
      const malformed = new Error(`malformed change at ${where}: ${asError(error).message}`, {
        cause: error,
      })
      return { events, unreadable, end, malformed }
    }
  }
  return { events, unreadable, end, malformed: null }
}

/**
 * Before a record of a source that nobody knows the group stands still, too: all that follows would be of another
 * database's log, or of a server that the database's address does not lead to yet. Then it goes on by itself.
 */
function unknownSource<T extends CapturedTable>(
  error: unknown,
  { batch: { topic, partition } }: EachBatchPayload,
  { logger, group }: PartitionWorkerOptions<T>,
): unknown {
  if (!(error instanceof OperatorError)) return error
  const problem = new Error(
    `${topic} partition ${partition}: ${error.message}; consumer group ${group} waits there`,
    { cause: error },
  )
  logger.error({ err: problem, topic, partition }, problem.message)
  return problem
}

/** Moves the group past the messages of the pieces, and past what kafkajs left out after a partition's last. */
async function commit(pieces: readonly NumberedPiece<CapturedTable>[]): Promise<void> {
  const passed = pieces.flatMap(({ payload: { batch, resolveOffset }, chunk: { end }, count }) => {
    const last = batch.messages[end - 1]?.offset
    if (last === undefined) return []
    const done = end === batch.messages.length ? batch.lastOffset() : last
    const { topic, partition } = batch
    return {
      topic,
      partition,
      offset: (BigInt(done) + 1n).toString(),
      metadata: count && writeCount(count),
      resolve: () => resolveOffset(last),
    }
  })
  const topics = [...Map.groupBy(passed, ({ topic }) => topic)].map(([topic, partitions]) => ({
    topic,
    partitions,
  }))
  await pieces[0]?.payload.commitOffsetsIfNecessary({ topics })
  for (const { resolve } of passed) resolve()
}

/**
 * Stands still before a record that is no change of its table: only a stranger can have written it to
 * our topic, and what it replaces there is unknown, so passing it over might lose a change. Says so until an
 * operator moves the group's offset past it.
 */
async function refuse<T extends CapturedTable>(
  payload: EachBatchPayload,
  malformed: Error,
  mine: Membership<T>,
  options: PartitionWorkerOptions<T>,
): Promise<void> {
  const { topic, partition } = payload.batch
  const handle = async () => {
    options.logger.error(
      { err: malformed, topic, partition },
      `${malformed.message}; consumer group ${options.group} waits there: stop what writes to the topic and move the group past it`,
    )
    throw malformed
  }
  await deliver([], { ...options, handle, signal: mine.leaving.signal }, mine.lost.signal)
}
