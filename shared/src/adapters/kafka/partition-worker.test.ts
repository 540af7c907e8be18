import { expect, test } from 'bun:test'
import type { EachBatchPayload } from 'kafkajs'
import { whenAborted } from '../../async/sleep'
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
  const handed: number[] = []
  const worker = createPartitionWorker<'posts'>({
    group: 'group',
    topics: new Map([[TOPIC, 'posts']]),
    logger: createLogger('test', 'silent'),
    timing: TIMING,
    deadLetters: { add: async () => {} },
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
  return { worker, payload, committed, handed }
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
