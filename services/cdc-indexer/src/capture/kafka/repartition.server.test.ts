import { describe, expect, test } from 'bun:test'
import { createKafkaChangeLog } from '@sns/shared/adapters/kafka/change-log'
import { createKafkaConnection } from '@sns/shared/adapters/kafka/client'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { encodeChange } from '@sns/shared/events/change-record'
import { capturedTables, topicName } from '@sns/shared/events/tables'
import type { WrittenTopics } from '@sns/shared/events/written-topics'
import { created, type TestChange } from '@sns/shared/testing/change-log-harness'
import { eventually } from '@sns/shared/testing/eventually'
import { openKafkaTestLog, testEvent, testKafkaClient } from '@sns/shared/testing/kafka-log'
import { testServers, uniqueName } from '@sns/shared/testing/servers'
import { createFakeCheckpoints } from '../testing/fakes'
import { readKafkaRecords } from '../testing/kafka-records'
import { createKafkaChangePublisher } from './change-publisher'
import { type RepartitionStep, repartition } from './repartition'

const TEST_MS = 120_000
const POSTS = 'posts'

describe.skipIf(!testServers.kafka)('topics of another size, on Kafka', () => {
  test(
    'partitions that were added stop a capture before it sends anything, the one that runs and the next',
    async () => {
      await using log = await openKafkaTestLog(2)
      const topic = topicName(log.names, POSTS)
      await using publisher = createKafkaChangePublisher(log.client, log.names)
      const noted = await publisher.use(null)
      expect(noted.generation).toBe(1)
      expect(noted.partitions.posts).toBe(2)
      await publisher.publish(keys(20).map((id) => change(created(id, 'before'), id)))
      const before = await readKafkaRecords(log.client, [topic], 20)
      await addPartitions(log, topic, 5)

      await using later = createKafkaChangePublisher(log.client, log.names)
      const words = new RegExp(`the topic ${topic} has 5 partitions and had 2 .*run "repartition"`)
      const refused: unknown = await later.use(noted).catch((error) => error)
      expect(refused).toBeInstanceOf(OperatorError)
      expect(String(refused)).toMatch(words)

      // One that knew the topic as it was, and looks at it anew: here since its connection has failed.
      await using behind = createKafkaChangePublisher(log.client, log.names)
      await using small = await openKafkaTestLog(2)
      await using running = createKafkaChangePublisher(small.client, small.names)
      await running.use(null)
      await addPartitions(small, topicName(small.names, POSTS), 5)
      const stopped: unknown = await running
        .publish(keys(20).map((id) => change(created(id, 'after'), id)))
        .catch((error) => error)
      expect(stopped).toBeInstanceOf(OperatorError)
      expect(String(stopped)).toContain('has 5 partitions and had 2')
      expect(await readKafkaRecords(small.client, [topicName(small.names, POSTS)])).toEqual([])
      const records = await readKafkaRecords(log.client, [topic], 20)
      expect(records).toHaveLength(before.length)
      expect(records.every(({ partition }) => partition < 2)).toBe(true)
      await expect(
        behind.use({ ...noted, partitions: { ...noted.partitions, users: 9 } }),
      ).rejects.toThrow(/users has 2 partitions and had 9/)
    },
    TEST_MS,
  )

  for (const cut of [null, 'make', 'copy', 'copying', 'note', 'remove'] as const) {
    test(
      `one command makes them and copies all, ${cut ? `killed at "${cut}" and run again` : 'at once'}: a consumer that runs along misses and reorders nothing`,
      async () => {
        await using log = await openKafkaTestLog(2)
        const { names, client } = log
        const checkpoints = createFakeCheckpoints()
        const written = () => checkpoints.noted()
        await using changeLog = createKafkaChangeLog(client, { ...names, written })
        const seen = new Map<number, string[]>()
        const stopping = new AbortController()
        const consuming = changeLog.consume({
          group: uniqueName('resized'),
          tables: [POSTS],
          maxBatch: 50,
          signal: stopping.signal,
          async handle(events) {
            for (const { op, before, after } of events) {
              const row = op === 'd' ? before : after
              const id = Number(row?.id)
              const texts = seen.get(id) ?? []
              texts.push(op === 'd' ? 'gone' : String(row?.text))
              seen.set(id, texts)
            }
          },
        })
        let sequence = 0
        await using publisher = createKafkaChangePublisher(client, names)
        const publish = (op: 'c' | 'u' | 'd', text: string) =>
          publisher.publish(keys(30).map((id) => change({ ...created(id, text), op }, ++sequence)))
        await using lease = await checkpoints.acquire()
        if (!lease) throw new Error('no lease')
        await checkpoints.noteTopics(lease, await publisher.use(null))
        await publish('c', '1')
        await publish('u', '2')
        await addPartitions(log, topicName(names, POSTS), 3)
        await lease[Symbol.asyncDispose]()

        let isCut = false
        const killed = new AbortController()
        const run = () =>
          repartition(
            { client, checkpoints },
            {
              ...names,
              partitions: 7,
              replication: 1,
              signal: isCut ? stopping.signal : killed.signal,
              onProgress(step: RepartitionStep, done: number) {
                if (isCut) return
                if (cut === 'copying' && step === 'copy' && done > 0) {
                  // Some of the records are there, and their transactions committed.
                  isCut = true
                  killed.abort()
                }
                if (step !== cut) return
                isCut = true
                throw new Error('killed')
              },
            },
          )
        if (cut) await expect(run()).rejects.toThrow()
        const isMade = await run()
        // What was noted before it was killed is not made again.
        expect(isMade).toBe(cut !== 'remove')
        expect(await run()).toBe(false)
        const noted = await written()
        expect(noted).toEqual({ generation: 2, partitions: sizes(7) })

        // What a capture sends that was paused meanwhile is refused, or goes nowhere.
        await expect(
          publisher.publish([change(created(1, 'late'), 1)], async () => false),
        ).rejects.toThrow()
        expect(await topicsOf(client, names)).toEqual(
          capturedTables.map((table) => topicName({ ...names, generation: 2 }, table)).sort(),
        )
        await using next = createKafkaChangePublisher(client, names)
        await next.use(noted)
        await next.publish(
          keys(30).map((id) => change({ ...created(id, '3'), op: 'u' }, ++sequence)),
        )
        await next.publish(
          keys(10).map((id) => change({ ...created(id, '3'), op: 'd' }, ++sequence)),
        )
        await eventually(
          () => keys(30).every((id) => seen.get(id)?.at(-1) === (id <= 10 ? 'gone' : '3')),
          { timeoutMs: 60_000, what: 'the last change of each row' },
        )
        stopping.abort()
        await consuming
        for (const id of keys(30)) {
          const texts = seen.get(id) ?? []
          // From the first again, as after any replay; within each pass nothing is missing or out of order.
          const last = texts.slice(texts.lastIndexOf('1'))
          expect(last).toEqual(id <= 10 ? ['1', '2', '3', 'gone'] : ['1', '2', '3'])
        }
        const records = await readKafkaRecords(
          client,
          [topicName({ ...names, generation: 2 }, POSTS)],
          110,
        )
        expect(records).toHaveLength(110)
        expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(3)
        for (const id of keys(30)) {
          const own = records.filter(({ key }) => key === JSON.stringify({ id }))
          expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
        }
      },
      TEST_MS,
    )
  }

  test(
    'makes nothing while a capture holds the lock',
    async () => {
      const checkpoints = createFakeCheckpoints()
      await using _lease = await checkpoints.acquire()
      const options = { prefix: 'none', database: 'sns', partitions: 2, replication: 1 }
      const { signal } = new AbortController()
      await expect(
        repartition(
          { client: testKafkaClient(), checkpoints },
          { ...options, signal, onProgress() {} },
        ),
      ).rejects.toThrow('a cdc-indexer captures: stop all of them first')
    },
    TEST_MS,
  )

  test(
    'a consumer reads no record that was placed by another size, and says which topic it is',
    async () => {
      await using log = await openKafkaTestLog(3)
      const noted: WrittenTopics = { generation: 1, partitions: { ...sizes(3), posts: 1 } }
      const warned: string[] = []
      const logger = Object.assign(Object.create(log.client.logger), {
        warn: (_fields: unknown, words: string) => warned.push(words),
      })
      const client = { ...log.client, logger }
      await using changeLog = createKafkaChangeLog(client, {
        ...log.names,
        written: async () => noted,
      })
      await log.append(keys(20).map((id) => created(id, 'by three')))
      const stopping = new AbortController()
      let handled = 0
      const consuming = changeLog.consume({
        group: uniqueName('misplaced'),
        tables: [POSTS],
        maxBatch: 10,
        signal: stopping.signal,
        async handle(events) {
          handled += events.length
        },
      })
      await eventually(() => warned.some((words) => words.includes('has 3 partitions and had 1')), {
        timeoutMs: 30_000,
      })
      stopping.abort()
      await consuming
      expect(handled).toBe(0)
    },
    TEST_MS,
  )
})

function keys(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}

function sizes(each: number): WrittenTopics['partitions'] {
  return Object.fromEntries(
    capturedTables.map((table) => [table, each]),
  ) as WrittenTopics['partitions']
}

function change(of: TestChange, sequence: number) {
  return encodeChange(testEvent(of, sequence))
}

async function addPartitions(
  { client }: Pick<Awaited<ReturnType<typeof openKafkaTestLog>>, 'client'>,
  topic: string,
  count: number,
) {
  await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
  await connection.run((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }))
  await eventually(async () => {
    const { topics } = await connection.run((admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    )
    return topics[0]?.partitions.length === count
  })
}

async function topicsOf(
  client: ReturnType<typeof testKafkaClient>,
  { prefix }: { prefix: string },
) {
  await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
  const topics = await connection.run((admin) => admin.listTopics())
  return topics
    .filter((topic) => topic.startsWith(prefix) && !topic.includes('dead-letters'))
    .sort()
}
