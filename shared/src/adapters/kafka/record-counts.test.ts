import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { documentVersion, SEQUENCE_LEAP } from '../../events/change-event'
import { decodeChange } from '../../events/change-record'
import { numberOf, sourceOf } from '../../events/gtid'
import type { LogSources } from '../../ports/log-sources'
import {
  createRecordCounter,
  createRecordCounts,
  type RecordCount,
  readCount,
  writeCount,
} from './record-counts'

const [A, B] = ['a0000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002']
const GROUP = 'c0000000-0000-0000-0000-00000000000c'

/** A record as Debezium 3.5 writes it, but for the columns. */
function record(gtid: string, text: string, { at = 1, ours }: { at?: number; ours?: number } = {}) {
  const row = {
    id: 1,
    author_id: 5,
    text,
    version: 1,
    created_at: 1,
    edited_at: null,
    updated_at: 1,
  }
  const source = {
    version: '3.5.2.Final',
    connector: 'mysql',
    name: 'sns',
    ts_ms: 1_790_000_000_000 + at,
    snapshot: 'false',
    db: 'sns',
    sequence: null,
    ts_us: (1_790_000_000_000 + at) * 1_000,
    ts_ns: (1_790_000_000_000 + at) * 1_000_000,
    table: 'posts',
    server_id: 23_331,
    gtid,
    file: 'binlog.000002',
    pos: 1_234,
    row: 0,
    thread: 12,
    query: null,
    ...(ours !== undefined && { epoch: 0, sequence: ours }),
  }
  const value = { before: null, after: row, source, op: 'c', ts_ms: 1, transaction: null }
  return decodeChange('posts', JSON.stringify(value))
}

function createFakeSources(known: readonly string[], floor = 1_000) {
  const asked: string[] = []
  const sources: LogSources = {
    async recognize(gtid) {
      asked.push(gtid)
      if (!known.includes(sourceOf(gtid))) throw new Error(`unknown: ${gtid}`)
    },
    async leap(gtid) {
      await sources.recognize(gtid)
      return floor
    },
  }
  return { sources, asked }
}

const versionsOf = async (
  records: readonly ReturnType<typeof record>[],
  known: readonly string[] = [A, B, GROUP, `${A}:blue`],
) => {
  const { sources } = createFakeSources(known)
  const { events } = await createRecordCounter(sources, null).count(records)
  return events.map(documentVersion)
}

describe("the sequences of Debezium's records", () => {
  test.each<[string, readonly string[]]>([
    ['one server', [`${A}:5`, `${A}:6`, `${A}:900`]],
    ['a promoted replica, whose numbers are lower', [`${A}:5000`, `${B}:1`, `${B}:2`]],
    ['there and back', [`${A}:5000`, `${B}:1`, `${A}:5001`, `${B}:2`, `${A}:5002`]],
    [
      "a group's members, with blocks of a million",
      [`${GROUP}:3`, `${GROUP}:1000002`, `${GROUP}:4`, `${GROUP}:1000003`, `${GROUP}:5`],
    ],
    ['the last numbers of a block', [`${GROUP}:999990`, `${GROUP}:1000001`, `${GROUP}:999991`]],
    ['tags', [`${A}:7`, `${A}:blue:1`, `${A}:8`, `${A}:blue:2`]],
  ])('grow along the log: %s', async (_, gtids) => {
    const versions = await versionsOf(gtids.map((gtid, at) => record(gtid, gtid, { at })))
    for (const [at, version] of versions.entries()) {
      expect(version > (versions[at - 1] ?? documentVersion(record(`${A}:999`, '')))).toBe(true)
    }
  })

  test('grow where a cloned server uses the number of a lost transaction again', async () => {
    const [, lost, next, again] = await versionsOf([
      record(`${A}:4`, 'before', { at: 0 }),
      record(`${A}:5`, 'lost', { at: 1 }),
      record(`${A}:6`, 'lost, too', { at: 2 }),
      record(`${A}:5`, 'another', { at: 9 }),
    ])
    expect(again! > next! && next! > lost!).toBe(true)
  })

  test('are one for all changes of a transaction, which its own order tells apart', async () => {
    const [one, other] = await versionsOf([record(`${A}:5`, 'x'), record(`${A}:5`, 'y')])
    expect(one).toBe(other!)
  })

  test('are those of before for a repeat', async () => {
    const log = [5, 6, 7, 8].map((n) => record(`${A}:${n}`, `${n}`, { at: n }))
    const versions = await versionsOf([...log, ...log.slice(1), record(`${A}:9`, '9')])
    expect(versions.slice(4, 7)).toEqual(versions.slice(1, 4))
    expect(versions[7]! > versions[3]!).toBe(true)
  })

  test.each([
    ['at once', 0, [4]],
    ['one by one', 0, [1, 1, 1, 1]],
    ['one, then the others', 0, [1, 3]],
    ['by a member that takes over', 1, [1, 1, 1]],
  ] as const)(
    "end as the last record is, where a group's numbers go back and all is repeated: read %s",
    async (_, committed, sizes) => {
      const { sources } = createFakeSources([GROUP])
      const log = [
        record(`${GROUP}:1000001`, 'first', { at: 1 }),
        record(`${GROUP}:1`, 'last', { at: 2 }),
      ]
      const before = await createRecordCounter(sources, null).count(log.slice(0, committed))
      const counter = createRecordCounter(sources, before.count)
      const left = [...log, ...log].slice(committed)
      const versions: bigint[] = []
      for (const size of sizes) {
        const { events } = await counter.count(left.splice(0, size))
        versions.push(...events.map(documentVersion))
      }
      const last = versions.at(-1)!
      expect(versions.filter((version) => version > last)).toEqual([])
    },
  )

  test("leave records of ours alone, until one of Debezium's came; then those grow as well", async () => {
    const { sources, asked } = createFakeSources([A, B], SEQUENCE_LEAP)
    const counter = createRecordCounter(sources, null)
    const ours = await counter.count([record(`${A}:1`, 'x', { ours: 70 })])
    expect(ours.events[0]?.source.sequence).toBe(70)
    expect(ours.count).toBeNull()
    expect(asked).toEqual([])
    const { events } = await counter.count([
      record(`${A}:2`, 'x'),
      record(`${A}:3`, 'x', { ours: 72 }),
      record(`${A}:4`, 'x', { ours: SEQUENCE_LEAP * 2 }),
    ])
    const sequences = events.map(({ source }) => source.sequence)
    expect(sequences).toEqual([SEQUENCE_LEAP + 1, SEQUENCE_LEAP + 2, SEQUENCE_LEAP * 2])
  })

  test('are refused to a source that the database does not know, and counted once it does', async () => {
    const known = [A]
    const { sources } = createFakeSources(known)
    const counter = createRecordCounter(sources, null)
    const events = [record(`${A}:1`, 'x'), record(`${B}:1`, 'y')]
    await expect(counter.count(events)).rejects.toThrow(`unknown: ${B}:1`)
    await expect(counter.count([record(`${B}:1`, 'y')])).rejects.toThrow(`unknown: ${B}:1`)
    known.push(B)
    const { events: counted } = await counter.count(events)
    expect(counted.map(({ source }) => source.sequence)).toEqual([1_001, 1_002])
  })

  test('begin from one place in all partitions of a member, and go on where the offset is', async () => {
    let failures = 1
    const { sources, asked } = createFakeSources([A])
    const committed = async () => {
      if (failures-- > 0) throw new Error('the broker is away')
      return new Map([['posts:1', { sequence: 7, gtid: `${A}:3`, committedAt: 5 }]])
    }
    const counts = createRecordCounts({ sources, committed })
    await expect(counts.of('posts', 0)).rejects.toThrow('away')
    const first = async (partition: number) => {
      const { events } = await (await counts.of('posts', partition)).count([record(`${A}:4`, 'x')])
      return events[0]?.source.sequence
    }
    expect([await first(0), await first(1), await first(2)]).toEqual([1_001, 8, 1_001])
    expect(asked).toEqual([`${A}:4`, `${A}:4`])
  })

  test('are kept as text beside the offset', () => {
    const count = { sequence: 2 ** 44, gtid: `${A}:blue:5`, committedAt: 1_790_000_000_000 }
    expect(readCount(writeCount(count))).toEqual(count)
    for (const text of [null, '', 'something', '{}', '{"sequence":"1"}']) {
      expect(readCount(text)).toBeNull()
    }
  })

  /**
   * One partition as Debezium fills it: the log's transactions in order, parts of it again after restarts. Members take
   * it in pieces, die between handing over and committing, and know nothing of one another but what was committed.
   */
  test('end each document as its last record is, through failovers, repeats and members that die', async () => {
    const failover = fc.constantFrom(
      { source: A, from: 1 },
      { source: B, from: 1 },
      { source: GROUP, from: 1 },
      { source: GROUP, from: 1_000_001 },
      { source: `${A}:blue`, from: 1 },
    )
    const step = fc.oneof(
      { arbitrary: fc.record({ kind: fc.constant('write' as const), key: fc.nat(3) }), weight: 12 },
      { arbitrary: fc.record({ kind: fc.constant('failover' as const), to: failover }), weight: 2 },
      {
        arbitrary: fc.record({
          kind: fc.constant('repeat' as const),
          back: fc.integer({ min: 1, max: 12 }),
        }),
        weight: 2,
      },
    )
    const piece = fc.record({ size: fc.integer({ min: 1, max: 6 }), dies: fc.nat(5) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.array(piece, { minLength: 1, maxLength: 20 }),
        async (steps, pieces) => {
          const records = partitionOf(steps)
          const { sources } = createFakeSources([A, B, GROUP, `${A}:blue`])
          const documents = new Map<number, { version: bigint; at: number }>()
          let committed: { offset: number; count: RecordCount | null } = { offset: 0, count: null }
          let offset = 0
          let counter = createRecordCounter(sources, null)
          for (let n = 0; offset < records.length; n++) {
            const { size, dies } = pieces[n % pieces.length]!
            const some = records.slice(offset, offset + size)
            const { events, count } = await counter.count(some.map(({ event }) => event))
            for (const [i, event] of events.entries()) {
              const { key, at } = some[i]!
              const version = documentVersion(event)
              if (version >= (documents.get(key)?.version ?? 0n))
                documents.set(key, { version, at })
            }
            offset += some.length
            // One in six dies before it commits, but not for ever.
            if (dies > 0 || n > 200) committed = { offset, count }
            else {
              offset = committed.offset
              counter = createRecordCounter(
                sources,
                readCount(committed.count && writeCount(committed.count)),
              )
            }
          }
          for (const [key, { at }] of documents) {
            expect({ key, at }).toEqual({
              key,
              at: records.findLast((each) => each.key === key)!.at,
            })
          }
        },
      ),
      { numRuns: Number(process.env.COUNT_RUNS ?? 300) },
    )
  })
})

type Step =
  | { readonly kind: 'write'; readonly key: number }
  | { readonly kind: 'failover'; readonly to: { readonly source: string; readonly from: number } }
  | { readonly kind: 'repeat'; readonly back: number }

function partitionOf(steps: readonly Step[]) {
  const numbers = new Map<string, number>()
  let member = `${A} 1`
  let [source, from] = [A, 1]
  const log: { key: number; at: number; event: ReturnType<typeof record> }[] = []
  let behind: typeof log = []
  let at = 0
  for (const step of steps) {
    if (step.kind === 'failover') {
      source = step.to.source
      from = step.to.from
      member = `${source} ${from}`
    } else if (step.kind === 'write') {
      at += 1
      const number = numbers.get(member) ?? from
      numbers.set(member, number + 1)
      const each = { key: step.key, at, event: record(`${source}:${number}`, `${at}`, { at }) }
      log.push(each)
      behind = [...behind, each]
    } else {
      // Debezium goes back in the log, and repeats all that followed.
      const again = behind.slice(-step.back)
      log.push(...again)
    }
  }
  return log
}

test('numbers of a tagged source are its own', () => {
  expect([sourceOf(`${A}:blue:5`), numberOf(`${A}:blue:5`)]).toEqual([`${A}:blue`, 5])
})
