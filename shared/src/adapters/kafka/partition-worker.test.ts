import { expect, test } from 'bun:test'
import type { EachBatchPayload } from 'kafkajs'
import { whenAborted } from '../../async/sleep'
import { OperatorError } from '../../errors/operator-error'
import { encodeChange } from '../../events/change-record'
import { createLogger } from '../../observability/logger'
import type { DeadLetter } from '../../ports/dead-letters'
import { created } from '../../testing/change-log-harness'
import { testEvent } from '../../testing/kafka-log'
import { createPartitionWorker, type PartitionWorkerOptions } from './partition-worker'

const TOPIC = 'sns.db.posts'
const COUNT = 6
const TIMING = { session: 1_000, heartbeat: 20, rebalance: 1_000 }

/** A member with one partition of six changes in hand, two of which are handed over at a time. */
function open(
  options: Partial<PartitionWorkerOptions<'posts'>>,
  more: Partial<EachBatchPayload>,
  changed: (value: string, n: number) => string = (value) => value,
) {
  const committed: string[] = []
  const kept: { offset: string; metadata?: string | null }[] = []
  const handed: number[] = []
  const worker = createPartitionWorker<'posts'>({
    group: 'group',
    topics: new Map([[TOPIC, 'posts']]),
    logger: createLogger('test', 'silent'),
    timing: TIMING,
    deadLetters: { add: async () => {} },
    counting: null,
    maxBatch: 2,
    signal: new AbortController().signal,
    ...options,
    async handle(events, lost) {
      handed.push(events.length)
      await options.handle?.(events, lost)
    },
  })
  const messages = Array.from({ length: COUNT }, (_, n) => {
    const { key, value } = encodeChange(testEvent(created(n), n))
    const bytes = { key: Buffer.from(key), value: Buffer.from(changed(value, n)) }
    return { ...bytes, offset: String(n), timestamp: '0', attributes: 0, headers: {} }
  })
  const payload: EachBatchPayload = {
    batch: {
      topic: TOPIC,
      partition: 0,
      highWatermark: String(COUNT),
      messages,
      isEmpty: () => false,
      firstOffset: () => '0',
      lastOffset: () => String(COUNT - 1),
      offsetLag: () => '0',
      offsetLagLow: () => '0',
    },
    resolveOffset: () => {},
    heartbeat: async () => {},
    pause: () => () => {},
    commitOffsetsIfNecessary: async (offsets) => {
      kept.push(...(offsets?.topics.flatMap(({ partitions }) => partitions) ?? []))
      committed.push(
        ...(offsets?.topics.flatMap(({ partitions }) => partitions) ?? []).map(
          ({ offset }) => offset,
        ),
      )
    },
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => true,
    isStale: () => false,
    ...more,
  }
  return { worker, payload, committed, kept, handed }
}

test('commits what was handed over, piece by piece', async () => {
  const { worker, payload, committed, handed } = open({}, {})
  await worker.eachBatch(payload)
  expect(handed).toEqual([2, 2, 2])
  expect(committed).toEqual(['2', '4', '6'])
})

test('asks before each piece whether the partition is still its own', async () => {
  let isStale = false
  const handle = async () => {
    isStale = true
  }
  const { worker, payload, committed, handed } = open({ handle }, { isStale: () => isStale })
  await worker.eachBatch(payload)
  expect(handed).toEqual([2])
  expect(committed).toEqual(['2'])
})

test.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'])(
  'tells what is in hand that the membership is lost (%s), and commits none of it',
  async (type) => {
    const heartbeat = async () => {
      throw Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type })
    }
    const handle = (_: unknown, lost: AbortSignal) => whenAborted(lost)
    const { worker, payload, committed, handed } = open({ handle }, { heartbeat })
    const failure = await worker.eachBatch(payload).catch((error: unknown) => error)
    expect(String(failure)).toContain(type)
    expect(handed).toEqual([2])
    expect(committed).toEqual([])
  },
  2_000,
)

test('tells what is in hand that the consumer goes, and commits none of it', async () => {
  const handle = (_: unknown, lost: AbortSignal) => whenAborted(lost)
  const { worker, payload, committed } = open({ handle }, {})
  const working = worker.eachBatch(payload)
  await Bun.sleep(5)
  worker.abandon(new Error('the connection is gone'))
  await working
  expect(committed).toEqual([])
}, 2_000)

test.each([
  ['an id past 2^53', '"id":1,', '"id":9007199254740993,', 'after.id'],
  [
    'a value of any column that capture could not read',
    '"id":1,',
    '"id":1,"mood":{"unreadable":"/w==","problem":"its column has no value number 255"},',
    'after.mood could not be read: its column has no value number 255',
  ],
])('puts aside %s, before it is committed, and goes on', async (_, found, replaced, reason) => {
  const letters: DeadLetter[] = []
  const reasons: string[] = []
  let refusals = 1
  const { worker, payload, committed, handed } = open(
    {
      deadLetters: {
        async add(added) {
          if (refusals-- > 0) throw new Error('the broker is away')
          letters.push(...added)
        },
      },
      onPutAside: (reason) => reasons.push(reason),
    },
    {},
    (value, n) => (n === 1 ? value.replace(found, replaced) : value),
  )
  await worker.eachBatch(payload)
  expect(committed.at(-1)).toBe('6')
  expect(handed.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(5)
  expect(letters.map(({ stage, change }) => [stage, change.source.table])).toEqual([
    ['read', 'posts'],
  ])
  expect(letters[0]?.reason).toContain(`sns.db.posts partition 0 offset 1, key {"id":1}: ${reason}`)
  expect(reasons).toEqual([letters[0]!.reason])
})

/** As Debezium writes it: without an epoch of ours. */
const fromDebezium = (value: string, gtid: string) => {
  const { source, ...event } = JSON.parse(value)
  const { epoch: _, ...theirs } = source
  return JSON.stringify({ ...event, source: { ...theirs, sequence: null, gtid } })
}
const [A, B] = ['a0000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002']

test("counts Debezium's records whoever was the primary, and keeps the count beside the offset", async () => {
  const sequences: (number | undefined)[] = []
  const sources = { recognize: async () => {}, leap: async () => 500 }
  const counting = { sources, committed: async () => new Map() }
  let failures = 2
  const { worker, payload, kept } = open(
    {
      counting,
      async handle(events) {
        if (failures-- > 0) throw new Error('the index is away')
        sequences.push(...events.map(({ source }) => source.sequence))
      },
    },
    {},
    (value, n) => (n < 2 ? value : fromDebezium(value, n < 4 ? `${A}:${n}` : `${B}:${n - 3}`)),
  )
  await worker.eachBatch(payload)
  expect(sequences).toEqual([undefined, undefined, 501, 502, 503, 504])
  const counts = kept.map(({ metadata }) => metadata && JSON.parse(metadata))
  expect(counts).toMatchObject([
    null,
    { sequence: 502, gtid: `${A}:3` },
    { sequence: 504, gtid: `${B}:2` },
  ])
})

test('waits before a record whose source nobody knows, and says so, until somebody does', async () => {
  const words: string[] = []
  const retries: string[] = []
  let isKnown = false
  const sources = {
    async recognize(gtid: string) {
      if (!isKnown && gtid.startsWith(B)) throw new OperatorError(`transaction ${gtid} is unknown`)
    },
    leap: async () => 500,
  }
  const logger = {
    ...createLogger('test', 'silent'),
    error: (_: unknown, text: string) => words.push(text),
  }
  const { worker, payload, committed, handed } = open(
    {
      logger: logger as never,
      counting: { sources, committed: async () => new Map() },
      onRetry(error) {
        retries.push(String(error))
        expect(handed).toEqual([2])
        isKnown = retries.length > 1
      },
    },
    {},
    (value, n) => fromDebezium(value, n < 2 ? `${A}:${n + 1}` : `${B}:${n}`),
  )
  await worker.eachBatch(payload)
  expect(words[0]).toBe(
    `sns.db.posts partition 0: transaction ${B}:2 is unknown; consumer group group waits there`,
  )
  expect(retries).toHaveLength(2)
  expect(handed).toEqual([2, 2, 2])
  expect(committed).toEqual(['2', '4', '6'])
})
