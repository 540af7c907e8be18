import { type ChangeSource, sequenceOf } from '../../events/change-event'
import { numberOf, sourceOf } from '../../events/gtid'
import type { LogSources } from '../../ports/log-sources'

/** How far the transactions of a partition are counted. A group keeps it beside its offset. */
export interface RecordCount {
  /** What the last transaction was given. */
  readonly sequence: number
  readonly gtid: string
  /** Unix milliseconds: tells a transaction from another of the same GTID, by a server that was cloned. */
  readonly committedAt: number
}

/** What of an event tells which transaction it is of. */
interface Countable {
  readonly source: Pick<ChangeSource, 'gtid' | 'ts_ms' | 'epoch' | 'sequence'>
}

export interface CountedEvents<Event extends Countable> {
  readonly events: readonly Event[]
  /** Behind them; null while all records of the partition brought sequences of their own. */
  readonly count: RecordCount | null
}

/** Counts the records of one partition, in its order. */
export interface RecordCounter {
  /** Errors: those of `LogSources`; then nothing was counted. */
  count<Event extends Countable>(events: readonly Event[]): Promise<CountedEvents<Event>>
}

/** Transactions of which it is remembered what they were given. */
const REMEMBERED = 20_000

/**
 * Gives a sequence to records that come without one: Debezium's. What orders them is their partition, as Debezium wrote
 * it along the log, whichever server was the primary: so each transaction is given one more than the one before, and a
 * GTID's number, which is another server's after a failover, says nothing. From the first such record on, records that
 * bring sequences are counted, too, where theirs would not grow.
 *
 * Repeats, which Debezium writes after a restart, are given what they had as long as that is certain. A repeat goes on
 * to the end of what was written; so one that begins before what is remembered comes past the oldest of that, and
 * whatever follows is counted anew: a document ends as its last record is.
 *
 * `leap` is asked where to begin, above everything that was ever given, and each member of a group goes on where the
 * offset was committed last: so what a record is given never falls, whoever counts it and however often.
 */
export function createRecordCounter(
  { leap, recognize }: LogSources,
  from: RecordCount | null,
): RecordCounter {
  let count = from
  /** What the latest ones were given, in their order, without a gap. */
  let given = new Map<string, number>(from ? [[nameOf(from), from.sequence]] : [])

  return {
    async count<Event extends Countable>(events: readonly Event[]) {
      let now = count
      /** What stands from here on: `given` with the new ones, or those alone. */
      let known = given
      let added = new Map<string, number>()
      const counted: Event[] = []

      async function sequenceFor({ source }: Event): Promise<number> {
        const { gtid, ts_ms: committedAt, epoch } = source
        if (now?.gtid === gtid && now.committedAt === committedAt) return now.sequence
        const name = nameOf({ gtid, committedAt })
        const before = added.get(name) ?? known.get(name)
        const isOldest = before !== undefined && name === oldestOf(known, added)
        if (before !== undefined && !isOldest) return before
        const last = now?.sequence ?? (await leap(gtid))
        if (now && sourceOf(now.gtid) !== sourceOf(gtid)) await recognize(gtid)
        // What came just before may be a repeat, too, of what was forgotten: all that follows is counted anew.
        if (isOldest || !now || !isNext(now.gtid, gtid)) {
          known = new Map()
          added = new Map()
        }
        const sequence = Math.max(last + 1, epoch === null ? 0 : sequenceOf(source))
        now = { sequence, gtid, committedAt }
        added.set(name, sequence)
        return sequence
      }

      for (const event of events) {
        const isOurs = event.source.epoch !== null
        counted.push(now === null && isOurs ? event : withSequence(event, await sequenceFor(event)))
      }
      count = now
      given = known
      for (const [name, sequence] of added) given.set(name, sequence)
      if (given.size > REMEMBERED) given = new Map([...given].slice(-REMEMBERED / 2))
      return { events: counted, count }
    },
  }
}

/** Of a transaction: a server that was cloned may give its GTID to another one. */
function nameOf({ gtid, committedAt }: Pick<RecordCount, 'gtid' | 'committedAt'>): string {
  return `${gtid} ${committedAt}`
}

function oldestOf(...inOrder: readonly ReadonlyMap<string, number>[]): string | undefined {
  return inOrder
    .find(({ size }) => size > 0)
    ?.keys()
    .next().value
}

function isNext(last: string, gtid: string): boolean {
  return sourceOf(last) === sourceOf(gtid) && numberOf(gtid) > numberOf(last)
}

function withSequence<Event extends Countable>(event: Event, sequence: number): Event {
  return { ...event, source: { ...event.source, sequence } }
}

/** The counters of a member of a group, which begin where the group's offsets are. */
export interface RecordCounts {
  of(topic: string, partition: number): Promise<RecordCounter>
}

export interface RecordCountsDeps {
  readonly sources: LogSources
  /** What was kept with the offsets, by `partitionName`. */
  readonly committed: () => Promise<ReadonlyMap<string, RecordCount>>
}

export function createRecordCounts({ sources, committed }: RecordCountsDeps): RecordCounts {
  const counters = new Map<string, RecordCounter>()
  const found = onceDone(committed)
  let floor: number | null = null
  const shared: LogSources = {
    recognize: (gtid) => sources.recognize(gtid),
    // Those that begin to count beside one another may begin from the same.
    async leap(gtid) {
      if (floor === null) floor = await sources.leap(gtid)
      else await sources.recognize(gtid)
      return floor
    },
  }
  return {
    async of(topic, partition) {
      const name = partitionName(topic, partition)
      const counts = await found()
      const counter = counters.get(name) ?? createRecordCounter(shared, counts.get(name) ?? null)
      counters.set(name, counter)
      return counter
    },
  }
}

function onceDone<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let answer: Promise<Value> | null = null
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = null
      throw error
    })
    return answer
  }
}

export function partitionName(topic: string, partition: number): string {
  return `${topic}:${partition}`
}

/** A count as the text that Kafka keeps beside an offset. */
export function writeCount({ sequence, gtid, committedAt }: RecordCount): string {
  return JSON.stringify({ sequence, gtid, committedAt })
}

/** Null where there is none, or other tools left something of their own. */
export function readCount(text: string | null): RecordCount | null {
  if (!text?.startsWith('{')) return null
  const { sequence, gtid, committedAt }: Readonly<Record<string, unknown>> = JSON.parse(text)
  const isCount =
    typeof sequence === 'number' && typeof gtid === 'string' && typeof committedAt === 'number'
  return isCount ? { sequence, gtid, committedAt } : null
}
