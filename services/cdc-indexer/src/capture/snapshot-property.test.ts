import { expect, test } from 'bun:test'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import {
  type ChangeEnvelope,
  changeKey,
  documentVersion,
  type Row,
} from '@sns/shared/events/change-event'
import { encodeChange } from '@sns/shared/events/change-record'
import { createLogger } from '@sns/shared/observability/logger'
import fc from 'fast-check'
import type { BinlogItem } from './ports/binlog-source'
import type { CaptureLease } from './ports/checkpoint-store'
import type { Snapshot, SnapshotStore } from './ports/snapshot-store'
import { createSnapshotWindow } from './snapshot-window'
import { runSnapshots } from './snapshots'
import { createSequenceCounter, NO_EPOCHS } from './source-epochs'
import { fakeChange } from './testing/fakes'

const GROUP = '11111111-71ca-11e1-9e33-c80aa9429562'
/** Who writes: two servers, one of them with a tag too, and two members of a group, with numbers of their own blocks. */
const WRITERS = [
  { source: '3e11fa47-71ca-11e1-9e33-c80aa9429562', from: 0 },
  { source: '00000000-71ca-11e1-9e33-c80aa9429562', from: 0 },
  { source: '00000000-71ca-11e1-9e33-c80aa9429562:tag', from: 0 },
  { source: GROUP, from: 0 },
  { source: GROUP, from: 1_000_000 },
] as const
const KEYS = 4
/** `SNAPSHOT_RUNS=50000 bun test …` for a long one. */
const RUNS = Number(process.env.SNAPSHOT_RUNS ?? 3_000)

/** What a transaction does to rows: a new value each time, or null, the row's end. */
type Write = { readonly id: number; readonly isDelete: boolean }

const transaction = fc.record({
  writes: fc.array(fc.record({ id: fc.integer({ min: 1, max: KEYS }), isDelete: fc.boolean() }), {
    maxLength: 4,
  }),
  writer: fc.integer({ min: 0, max: WRITERS.length - 1 }),
})
type Step = 'commit' | 'show' | 'stream' | 'acknowledge' | 'wait'
const step = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Step>('commit') },
  { weight: 1, arbitrary: fc.constant<Step>('show') },
  { weight: 8, arbitrary: fc.constant<Step>('stream') },
  { weight: 1, arbitrary: fc.constant<Step>('acknowledge') },
  { weight: 2, arbitrary: fc.constant<Step>('wait') },
)

/**
 * A database whose commits are in its log a while before they can be read, a stream that follows that log at its own
 * pace, and rows that no log tells of.
 */
function createWorld(existing: readonly number[]) {
  const states: ReadonlyMap<number, number>[] = [new Map(existing.map((id) => [id, -id]))]
  const log: BinlogItem[][] = []
  const numbers: number[] = WRITERS.map(({ from }) => from)
  const counter = createSequenceCounter(NO_EPOCHS)
  let writer = 0
  let visible = 0
  let values = 0

  function commit(writes: readonly Write[], by = writer): string {
    const rows = new Map(states.at(-1))
    writer = by
    const number = (numbers[by] ?? 0) + 1
    numbers[by] = number
    const gtid = `${WRITERS[by]?.source}:${number}`
    const sequence = counter.of(gtid)
    counter.pass(gtid, sequence)
    const items: BinlogItem[] = []
    for (const [ordinal, { id, isDelete }] of writes.entries()) {
      values += 1
      const { source: from, ...change } = fakeChange(id, gtid, ordinal + 1)
      const op = isDelete ? 'd' : rows.has(id) ? 'u' : 'c'
      if (isDelete && !rows.delete(id)) continue
      if (!isDelete) rows.set(id, values)
      const row = { id, version: values }
      const event: ChangeEnvelope = {
        ...change,
        source: { ...from, sequence },
        op,
        before: isDelete ? row : null,
        after: isDelete ? null : row,
      }
      items.push({ kind: 'change', event })
    }
    const last = { gtid, committedAt: log.length * 1_000_000 }
    const gtidSet = [...log.map(gtidOf), gtid].join(',')
    const epochs = counter.epochs()
    const position = () => ({ gtidSet, epochs, last, file: 'fake', pos: log.length })
    items.push({ kind: 'commit', gtid, sequence, position })
    log.push(items)
    states.push(rows)
    return gtid
  }

  return {
    log,
    commit,
    show: () => {
      visible = Math.min(log.length, visible + 1)
    },
    showAll: () => {
      visible = log.length
    },
    isVisible: (gtid: string) =>
      log.findIndex((items) => items.at(-1)?.kind === 'commit' && gtidOf(items) === gtid) < visible,
    rows: () => states[visible] ?? new Map<number, number>(),
    last: () => states.at(-1) ?? new Map<number, number>(),
  }
}

function gtidOf(items: readonly BinlogItem[]): string {
  const last = items.at(-1)
  return last?.kind === 'commit' ? last.gtid : ''
}

const given = fc.record({
  existing: fc.uniqueArray(fc.integer({ min: 1, max: KEYS })),
  transactions: fc.array(transaction, { maxLength: 25 }),
  steps: fc.array(step, { maxLength: 150 }),
  chunkRows: fc.integer({ min: 1, max: 5 }),
  /** How long each reading of rows takes, in turns of the event loop. */
  waits: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 }),
  snapshots: fc.integer({ min: 1, max: 4 }),
  maxNoted: fc.constantFrom(1, 3, 100_000),
})

/** The stream brought a change that cannot be seen yet when the rows are read. */
const UNSEEN: typeof given extends fc.Arbitrary<infer History> ? History : never = {
  existing: [4, 2, 1],
  transactions: [
    {
      writes: [
        { id: 2, isDelete: false },
        { id: 1, isDelete: false },
      ],
      writer: 0,
    },
    { writes: [], writer: 0 },
    { writes: [], writer: 0 },
    { writes: [{ id: 4, isDelete: false }], writer: 0 },
  ],
  steps: [],
  chunkRows: 2,
  waits: [0, 1, 2],
  snapshots: 1,
  maxNoted: 100_000,
}

/**
 * C4: whatever is written meanwhile and however far the stream trails, what is published, taken in its order or by its
 * versions, ends as the rows are, the rows that no log tells of included.
 */
test('a snapshot beside live writes gives each row its last state, and never an older one later', async () => {
  await fc.assert(
    fc.asyncProperty(given, async (history) => {
      const { existing, transactions, steps, chunkRows, waits, maxNoted } = history
      const world = createWorld(existing)
      const published: ChangeEnvelope[] = []
      let held: ChangeEnvelope[] = []
      const sink = {
        add(item: BinlogItem) {
          if (item.kind === 'change') held.push(item.event)
          return null
        },
      }
      const options = { database: 'fake', maxNoted }
      const window = createSnapshotWindow(sink, options)
      const first: Snapshot = { table: 'posts', request: 1, after: null, end: [KEYS], rows: 0 }
      let wanted: Snapshot | null = first
      let left = history.snapshots
      let turns = 0
      const pause = async () => {
        turns += 1
        for (let n = waits[turns % waits.length] ?? 0; n > 0; n -= 1) await yieldToEventLoop()
      }
      const store: SnapshotStore = {
        database: 'fake',
        next: async () => wanted,
        use() {},
        async rows({ after, end }, limit) {
          await pause()
          const rows = [...world.rows()].sort(([a], [b]) => a - b)
          return rows
            .filter(([id]) => id > (after?.[0] ?? 0) && id <= (end[0] ?? 0))
            .slice(0, limit)
            .map(([id, version]): Row => ({ id, version }))
        },
        async mark(_lease, snapshot) {
          await pause()
          wanted = snapshot
          const gtid = world.commit([])
          world.showAll()
          return gtid
        },
        async finish() {
          left -= 1
          wanted = left > 0 ? { ...first, request: left } : null
        },
        async fail() {},
      }
      const source = {
        async awaitVisible(gtid: string) {
          while (!world.isVisible(gtid)) await yieldToEventLoop()
        },
      }
      const stop = new AbortController()
      const lease: CaptureLease = {
        fence: 1,
        serverId: '',
        lost: stop.signal,
        async [Symbol.asyncDispose]() {},
      }
      const logger = createLogger('test', 'silent')
      const limits = { pollMs: 0, chunkMs: 100, maxChunkRows: chunkRows, maxChunkBytes: 1e6 }
      const running = runSnapshots({ store, window, source, lease, logger }, limits, stop.signal)

      let [at, item] = [0, 0]
      const writes = [...transactions]
      const act = async (what: Step) => {
        if (what === 'commit') {
          const next = writes.shift()
          if (next) world.commit(next.writes, next.writer)
        } else if (what === 'show') world.show()
        else if (what === 'stream') {
          const next = world.log[at]?.[item]
          if (!next) return
          window.add(next)
          item += 1
          if (next.kind === 'commit') [at, item] = [at + 1, 0]
        } else if (what === 'acknowledge') {
          const batch = held
          held = []
          published.push(...batch)
          window.acknowledge(batch.map(encodeChange))
        } else await yieldToEventLoop()
      }
      for (const what of steps) {
        await act(what)
        await Promise.resolve()
      }
      for (let n = 0; wanted || writes.length > 0 || at < world.log.length; n += 1) {
        if (n > 20_000) throw new Error('it does not end')
        for (const what of ['commit', 'stream', 'stream', 'wait', 'show', 'acknowledge'] as const) {
          await act(what)
        }
      }
      await act('acknowledge')
      stop.abort()
      await running

      const inOrder = new Map<number, number>()
      const newest = new Map<string, readonly [version: bigint, value: number]>()
      for (const event of published) {
        const row = event.after ?? event.before ?? {}
        const key = changeKey('posts', row)
        const version = documentVersion(event)
        const [before, older] = newest.get(key) ?? [-1n, Number.NEGATIVE_INFINITY]
        expect(version > before).toBe(true)
        expect(Number(row.version)).toBeGreaterThanOrEqual(older)
        newest.set(key, [version, Number(row.version)])
        if (event.after) inOrder.set(Number(row.id), Number(row.version))
        else inOrder.delete(Number(row.id))
      }
      expect(new Map([...inOrder].sort())).toEqual(new Map([...world.last()].sort()))
    }),
    { numRuns: RUNS, examples: [[UNSEEN]] },
  )
}, 120_000)
