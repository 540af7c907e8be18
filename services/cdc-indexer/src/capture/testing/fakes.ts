import { whenAborted } from '@sns/shared/async/sleep'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { type ChangeEnvelope, sequenceOf } from '@sns/shared/events/change-event'
import { capturedTables } from '@sns/shared/events/tables'
import type { WrittenTopics } from '@sns/shared/events/written-topics'
import type { BinlogItem, BinlogPosition, BinlogSource } from '../ports/binlog-source'
import type { ChangePublisher } from '../ports/change-publisher'
import type { CaptureLease, Checkpoint, CheckpointStore } from '../ports/checkpoint-store'
import type { SnapshotStore } from '../ports/snapshot-store'
import { NO_EPOCHS } from '../source-epochs'

export const SERVER_ID = '3e11fa47-71ca-11e1-9e33-c80aa9429562'

/** A transaction of a fake log: the ids of the posts that it changes. */
export type FakeTransaction = readonly number[]

/** The GTID set after `count` transactions. */
export function positionAfter(count: number): BinlogPosition {
  return {
    last: null,
    epochs: count === 0 ? NO_EPOCHS : { last: count, starts: { [SERVER_ID]: 0 } },
    gtidSet: count === 0 ? '' : `${SERVER_ID}:1-${count}`,
    file: 'fake',
    pos: count,
  }
}

function countOf(position: BinlogPosition): number {
  return Number(/-(\d+)$/.exec(position.gtidSet)?.[1] ?? 0)
}

export interface FakeSource extends BinlogSource {
  commit(transaction: FakeTransaction): void
  /** After so many items from now on the stream breaks, or says no more; negative: never. */
  breakAfter(items: number, how?: 'break' | 'silence'): void
  readonly log: readonly FakeTransaction[]
  readonly visible: ReadonlySet<string>
}

/** A log in memory. `fail` says, before each call, whether the server is away. */
export function createFakeSource(
  initial: readonly FakeTransaction[] = [],
  fail: () => boolean = () => false,
): FakeSource {
  const log = [...initial]
  const visible = new Set<string>()
  let wake: (() => void) | null = null
  let budget = -1
  let ending: 'break' | 'silence' = 'break'

  function* itemsOf(index: number): Generator<BinlogItem> {
    const gtid = `${SERVER_ID}:${index + 1}`
    for (const [ordinal, id] of (log[index] ?? []).entries()) {
      yield { kind: 'change', event: fakeChange(id, gtid, ordinal + 1) }
    }
    yield { kind: 'commit', gtid, sequence: index + 1, position: () => positionAfter(index + 1) }
  }

  return {
    log,
    visible,
    commit(transaction) {
      log.push(transaction)
      wake?.()
    },
    breakAfter(items, how = 'break') {
      budget = items
      ending = how
    },
    async read(from, _server, sink, signal) {
      if (fail()) throw storeUnavailable('mysql')
      for (let index = countOf(from); !signal.aborted; ) {
        if (index < log.length) {
          for (const item of itemsOf(index)) {
            if (signal.aborted) return
            if (budget-- === 0) {
              if (ending === 'break') throw storeUnavailable('mysql')
              await whenAborted(signal)
              return
            }
            const room = sink.add(item)
            if (room) await Promise.race([room, whenAborted(signal)])
          }
          index += 1
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
            signal.addEventListener('abort', () => resolve())
          })
        }
      }
    },
    async awaitVisible(gtid) {
      if (fail()) throw storeUnavailable('mysql')
      visible.add(gtid)
    },
  }
}

export function fakeChange(id: number, gtid: string, ordinal: number): ChangeEnvelope {
  return {
    before: null,
    after: { id, version: ordinal },
    op: 'c',
    ts_ms: 1,
    transaction: { id: gtid, total_order: ordinal },
    source: {
      connector: 'mysql',
      db: 'fake',
      table: 'posts',
      ts_ms: 1,
      gtid,
      file: 'fake',
      pos: 4,
      row: 0,
      snapshot: 'false',
      epoch: 0,
    },
  }
}

export interface FakeCheckpoints extends CheckpointStore {
  readonly saved: Checkpoint[]
  current: Checkpoint | null
  /** Another capture has taken the lease over, and nobody was told yet. */
  isTakenOver: boolean
  /** As consumers read them. */
  noted(): Promise<WrittenTopics | null>
  /** Ends the lease that is out, as a lost connection does. */
  loseLease(): void
}

/** A checkpoint in memory. `onSave` sees each position before it is kept, and may throw. */
export function createFakeCheckpoints(
  onSave: (checkpoint: Checkpoint) => void = () => {},
): FakeCheckpoints {
  let fence = 0
  let out: AbortController | null = null
  let noted: WrittenTopics | null = null
  const store: FakeCheckpoints = {
    saved: [],
    isTakenOver: false,
    noted: async () => noted,
    current: { ...positionAfter(0), serverId: SERVER_ID },
    loseLease() {
      out?.abort()
      out = null
    },
    async acquire() {
      if (out) return null
      const lost = new AbortController()
      out = lost
      fence += 1
      const lease: CaptureLease = {
        fence,
        serverId: SERVER_ID,
        lost: lost.signal,
        async [Symbol.asyncDispose]() {
          if (out === lost) out = null
        },
      }
      return lease
    },
    isLatest: async (lease) => lease.fence === fence && !store.isTakenOver,
    load: async () => store.current,
    topics: async () => noted,
    async noteTopics(lease, topics) {
      if (lease.fence !== fence) return false
      noted = topics
      return true
    },
    async save(lease, checkpoint) {
      onSave(checkpoint)
      if (lease.lost.aborted) throw storeUnavailable('mysql')
      if (lease.fence !== fence) return false
      store.current = checkpoint
      store.saved.push(checkpoint)
      return true
    },
  }
  return store
}

const ONE_EACH: WrittenTopics = {
  generation: 1,
  partitions: Object.fromEntries(
    capturedTables.map((table) => [table, 1]),
  ) as WrittenTopics['partitions'],
}

export interface FakePublisher extends ChangePublisher {
  /** Everything appended, those of failed calls too. */
  readonly appended: ChangeEnvelope[]
  /** Appended by calls that resolved. */
  readonly acknowledged: ChangeEnvelope[]
  readonly batches: number[]
  /** While set, calls wait for it. */
  gate: Promise<void> | null
}

/** A log of changes in memory. `partOf` says how much of a batch is appended before it fails; 1 is success. */
export function createFakePublisher(partOf: () => number = () => 1): FakePublisher {
  const publisher: FakePublisher = {
    appended: [],
    acknowledged: [],
    batches: [],
    gate: null,
    tail: async () =>
      publisher.appended.slice(-100).map((event) => ({
        gtid: event.source.gtid,
        sequence: sequenceOf(event.source),
      })),
    use: async (noted) => noted ?? ONE_EACH,
    async publish(changes, mayPublish = async () => true) {
      if (!(await mayPublish())) throw storeUnavailable('kafka')
      const part = partOf()
      const events = changes.map(({ value }): ChangeEnvelope => JSON.parse(value))
      await publisher.gate
      // As over a network: other work gets its turn before the answer comes.
      await new Promise((resolve) => setTimeout(resolve, 1))
      publisher.appended.push(...events.slice(0, Math.ceil(events.length * part)))
      if (part < 1) throw storeUnavailable('kafka')
      publisher.acknowledged.push(...events)
      publisher.batches.push(events.length)
    },
  }
  return publisher
}

/** A database of which nobody wants a snapshot. */
export function createNoSnapshots(): SnapshotStore {
  return {
    database: 'fake',
    next: async () => null,
    use: () => {},
    rows: async () => [],
    mark: async () => null,
    finish: async () => {},
    fail: async () => {},
  }
}
