import type { Message } from 'kafkajs'
import { createKafkaChangeLog } from '../adapters/kafka/change-log'
import {
  createKafkaClient,
  createKafkaConnection,
  type KafkaClient,
  type KafkaClientOptions,
} from '../adapters/kafka/client'
import { createKeyPartitioner } from '../adapters/kafka/key-partitioner'
import { sendRecords } from '../adapters/kafka/record-sender'
import { migrateTopics } from '../adapters/kafka/topics'
import type { ChangeEnvelope, Row } from '../events/change-event'
import { encodeChange } from '../events/change-record'
import { type CapturedTable, capturedTables, deadLetterTopic, topicName } from '../events/tables'
import { createLogger } from '../observability/logger'
import type { ChangeLogHarness, TestChange } from './change-log-harness'
import { eventually } from './eventually'
import { testServers, uniqueName } from './servers'
import { createTcpProxy } from './tcp-proxy'

/** Topics for one test on the test server, removed when the log is disposed of. */
export interface KafkaTestLog extends ChangeLogHarness {
  readonly client: KafkaClient
  readonly names: { readonly prefix: string; readonly database: string }
  /** Appends records as any stranger may have written them. */
  appendRecords(table: CapturedTable, messages: readonly Message[]): Promise<void>
}

const testKafkaBrokers = (testServers.kafka ?? '').split(',')

export function testKafkaClient(
  brokers: readonly string[] = testKafkaBrokers,
  options: Partial<KafkaClientOptions> = {},
): KafkaClient {
  return createKafkaClient(
    { brokers, tls: null, sasl: null },
    {
      clientId: 'sns-test',
      logger: createLogger('test', 'silent'),
      ...options,
    },
  )
}

/** A client whose every connection goes through a proxy that the test can cut, stall or hold. */
export async function openKafkaBehindProxy(options: { readonly requestTimeoutMs?: number } = {}) {
  const proxy = await createTcpProxy(testServers.kafka ?? '')
  const { host, port } = proxy
  const client = testKafkaClient([`${host}:${port}`], { route: () => ({ host, port }), ...options })
  return { proxy, client, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() }
}

export async function openKafkaTestLog(partitions = 3): Promise<KafkaTestLog> {
  const client = testKafkaClient()
  const names = { prefix: uniqueName('kafka'), database: 'sns' }
  await migrateTopics(client, { ...names, partitions, replication: 1 })
  const connection = createKafkaConnection(client, (kafka) =>
    kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: createKeyPartitioner,
    }),
  )
  const first = createKafkaChangeLog(client, names)
  const logs = [first]
  // A new topic may have no leader for a moment.
  await eventually(async () => (await first.backlog('nobody', capturedTables)) === 0)
  let sequence = 0
  return {
    client,
    names,
    open() {
      const log = createKafkaChangeLog(testKafkaClient(), names)
      logs.push(log)
      return log
    },
    async append(changes) {
      const records = changes.map((change) => encodeChange(testEvent(change, ++sequence)))
      const byTable = Map.groupBy(records, ({ table }) => table)
      const topicMessages = [...byTable].map(([table, some]) => ({
        topic: topicName(names, table),
        messages: some.flatMap(({ key, value, op }) =>
          op === 'd'
            ? [
                { key, value },
                { key, value: null },
              ]
            : [{ key, value }],
        ),
      }))
      await connection.run((producer) => sendRecords(producer, topicMessages))
    },
    appendRecords: (table, messages) =>
      connection.run((producer) =>
        sendRecords(producer, [{ topic: topicName(names, table), messages }]),
      ),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]()
      for (const log of logs) await log[Symbol.asyncDispose]()
      await dropTopics(client, names)
    },
  }
}

/** The event of a change as capture would publish it. */
export function testEvent({ table, op, id, text }: TestChange, sequence: number): ChangeEnvelope {
  const row: Row =
    table === 'posts'
      ? { id, author_id: 5, text, version: 1, created_at: id, edited_at: null, updated_at: id }
      : { id, post_id: 1, author_id: 5, text, created_at: id }
  const gtid = `3e11fa47-71ca-11e1-9e33-c80aa9429562:${sequence}`
  return {
    before: op === 'c' ? null : row,
    after: op === 'd' ? null : row,
    source: {
      connector: 'mysql',
      db: 'sns',
      table,
      ts_ms: 1_790_000_000_000 + sequence,
      gtid,
      file: 'binlog.000001',
      pos: sequence * 300,
      row: 0,
      snapshot: 'false',
      epoch: 0,
    },
    op,
    ts_ms: 1_790_000_000_001 + sequence,
    transaction: { id: gtid, total_order: 0 },
  }
}

/** Deletes the existing topics of a database. */
export async function dropTopics(
  client: KafkaClient,
  { prefix, database }: { readonly prefix: string; readonly database: string },
): Promise<void> {
  const { kafka, drop } = client.session()
  const admin = kafka.admin()
  await admin.connect()
  try {
    const existing = new Set(await admin.listTopics())
    const names = { prefix, database }
    const ours = new Set([
      ...capturedTables.map((table) => topicName(names, table)),
      deadLetterTopic(names),
    ])
    const topics = [...existing].filter((topic) => ours.has(topic.replace(/-\d+$/, '')))
    if (topics.length > 0) await admin.deleteTopics({ topics })
  } finally {
    await admin.disconnect()
    drop()
  }
}
