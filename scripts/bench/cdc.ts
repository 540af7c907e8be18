import {
  createElasticsearchClient,
  type ElasticsearchClient,
} from '@sns/shared/adapters/elasticsearch/client'
import { postsAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { createKafkaClient, type KafkaServers } from '@sns/shared/adapters/kafka/client'
import { migrateTopics } from '@sns/shared/adapters/kafka/topics'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { MysqlSettings } from '@sns/shared/config/program-settings'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type TopicNames, topicName } from '@sns/shared/events/tables'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import postsSample from '../../sample/posts.jsonl.gz' with { type: 'file' }
import { killAtExit } from '../process/leftovers'
import { freePort, spawnProgram } from '../process/program-process'
import type { BenchArguments } from './arguments'
import { createBenchSuite } from './bench-suite'
import { percentile } from './load'
import { residentMiB, samples } from './measures'
import { collectFigures, type Figure } from './report'

const ROWS = 1_000_000
const QUICK_ROWS = 40_000
const ROWS_PER_TRANSACTION = 1_000
const WRITES_PER_SECOND = 1_000
const WRITERS = 16
const PROBE_EVERY_MS = 200
const LOOK_EVERY_MS = 20
/** Held at once, as objects; more of them would be these again, under other ids. */
const PLAIN_DOCUMENTS = 100_000
const PLAIN_BATCH = 1_000
const PLAIN_AT_ONCE = 4
const WITHIN_MS = 900_000

/**
 * Change capture and indexing: a backlog drained to Kafka and into the index at once, beside plain bulk requests of
 * the same documents; the time until a post can be found, at a steady rate of writes; then a backlog drained to Kafka
 * alone and, where `--debezium` names its start script, ones like it by Debezium: into a topic as the broker makes it,
 * and into one with the settings of ours.
 */
export async function benchCdc(options: BenchArguments): Promise<readonly Figure[]> {
  const suite = createBenchSuite()
  if (suite.kind !== 'servers') {
    throw new OperatorError('bench cdc measures on the servers: set DATABASE_URL=mysql://…', 2)
  }
  const settings = loadSettings(environment, { role: 'cdc-indexer' })
  const { database, keyPrefix: prefix } = settings
  if (database.kind !== 'mysql') throw new TypeError('not a server')
  const { figures, add } = collectFigures()
  const logger = createLogger('bench', 'warn')
  await using search = createElasticsearchClient(settings.elasticsearch, {
    logger,
    metrics: createMetrics(),
  })
  await using rows = await openRows(database)
  await using topics = await openTopics(settings.kafka, logger)
  const topic = topicName({ prefix, database: database.database }, 'posts')
  const count = options.isQuick ? QUICK_ROWS : ROWS
  try {
    await suite.prepare()
    await rows.insert(count)
    {
      await using capture = startIndexer(suite.env)
      const drained = await drain(capture.pid, count, () => topics.records(topic))
      add(`${count.toLocaleString('en')} rows to Kafka`, drained.rowsPerSecond, 'rows/s')
      const indexed = await untilIndexed(capture, count, drained.startedAt)
      add('… and searchable', indexed.rowsPerSecond, 'rows/s')
      add('peak memory of cdc-indexer', Math.max(drained.peakMiB, indexed.peakMiB), 'MiB')
      const plain = await plainBulk(search, prefix, count)
      add('plain bulk of the same documents', plain, 'documents/s')
      add('… and searchable / plain bulk', indexed.rowsPerSecond / plain, '')

      const lags = await liveLag(search, prefix, rows, options.isQuick ? 3 : 20)
      add(`until found at ${WRITES_PER_SECOND} writes/s, P50`, percentile(lags, 0.5), 'ms')
      add(`until found at ${WRITES_PER_SECOND} writes/s, P99`, percentile(lags, 0.99), 'ms')
    }
    {
      const before = await topics.records(topic)
      await rows.insert(count)
      await using capture = startIndexer({ ...suite.env, ES_URL: NOBODY })
      const drained = await drain(capture.pid, count, async () =>
        Math.max(0, (await topics.records(topic)) - before),
      )
      add('rows to Kafka, the index away', drained.rowsPerSecond, 'rows/s')
      add('peak memory of cdc-indexer, the index away', drained.peakMiB, 'MiB')
    }
    if (options.debezium === null) return figures
    for (const isFlushed of [false, true]) {
      const theirs = { prefix: `debezium-${isFlushed}-${prefix}`, database: database.database }
      if (isFlushed) await topics.makeAsOurs(theirs, settings.kafka.partitions)
      await using peer = await startDebezium(options.debezium, database.database, theirs.prefix)
      peer.pause()
      await rows.insert(count)
      peer.resume()
      const drained = await drain(peer.pid, count, () => topics.records(topicName(theirs, 'posts')))
      const by = isFlushed ? 'Debezium, on the disk as ours' : 'Debezium, into memory'
      add(`rows to Kafka by ${by}`, drained.rowsPerSecond, 'rows/s')
      add(`peak memory of ${by}`, drained.peakMiB, 'MiB')
    }
    return figures
  } finally {
    suite.dispose()
  }
}

/** Where no Elasticsearch is: the program captures, and looks for its index, as long as that takes. */
const NOBODY = 'http://127.0.0.1:9'

/** The whole program, as `start cdc-indexer` runs it. */
function startIndexer(env: Readonly<Record<string, string>>) {
  const port = freePort()
  const settings = { ...env, METRICS_PORT: String(port) }
  const program = spawnProgram('start', ['cdc-indexer'], settings)
  return Object.assign(program, { statusUrl: `http://127.0.0.1:${port}` })
}

/** Debezium from its start script, standing still until told. */
async function startDebezium(script: string, database: string, prefix: string) {
  const child = killAtExit(
    Bun.spawn([script, database, 'posts', prefix], {
      env: { ...environment, TUNED: '1' },
      stdout: 'pipe',
      stderr: 'inherit',
    }),
  )
  let output = ''
  for await (const chunk of child.stdout) {
    output += new TextDecoder().decode(chunk)
    if (output.includes('streaming')) break
  }
  const pid = Number(/pid (\d+)/.exec(output)?.[1])
  if (!pid) throw new OperatorError(`${script} did not start:\n${output}`)
  return {
    pid,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      process.kill(pid, 'SIGCONT')
      child.kill('SIGTERM')
      await child.exited
    },
  }
}

/** Posts of the sample's texts, written to the table as an application would, several to a transaction. */
async function openRows(mysql: MysqlSettings) {
  const connected = await connectMysql({ ...mysql, poolSize: WRITERS })
  const { db } = connected
  const packed = await Bun.file(postsSample).bytes()
  const texts = new TextDecoder()
    .decode(Bun.gunzipSync(packed))
    .split('\n')
    .filter(Boolean)
    .map((line): string => JSON.parse(line).text)
  let next = 0
  const post = (text = texts[next % texts.length] ?? '') => {
    next += 1
    const createdAt = Date.now()
    return {
      id: next as PostId,
      author_id: ((next % 1_000) + 1) as UserId,
      text,
      version: 1,
      created_at: createdAt,
      edited_at: null,
      updated_at: createdAt,
    }
  }
  return {
    async insert(count: number): Promise<void> {
      for (let left = count; left > 0; left -= ROWS_PER_TRANSACTION) {
        const some = Array.from({ length: Math.min(left, ROWS_PER_TRANSACTION) }, () => post())
        await db.insertInto('posts').values(some).execute()
      }
    },
    async insertOne(text?: string): Promise<PostId> {
      const row = post(text)
      await db.insertInto('posts').values(row).execute()
      return row.id
    },
    [Symbol.asyncDispose]: () => connected[Symbol.asyncDispose](),
  }
}

type Rows = Awaited<ReturnType<typeof openRows>>

async function openTopics(servers: KafkaServers, logger: ReturnType<typeof createLogger>) {
  const client = createKafkaClient(servers, { clientId: 'bench', logger })
  const { kafka, drop } = client.session()
  const admin = kafka.admin()
  await admin.connect()
  return {
    /** Topics with the settings of ours: what a broker that is alone acknowledges is on its disk. */
    makeAsOurs: (names: TopicNames, partitions: number) =>
      migrateTopics(client, { ...names, partitions, replication: 1 }),
    /** Records of a topic so far; 0 while there is none. */
    async records(topic: string): Promise<number> {
      const offsets = await admin.fetchTopicOffsets(topic).catch(() => [])
      return offsets.reduce((sum, { high }) => sum + Number(high), 0)
    },
    async [Symbol.asyncDispose]() {
      await admin.disconnect()
      drop()
    },
  }
}

/**
 * Until there are `count` records (of ours about one in a thousand is the end of a transaction), from when the first
 * ones came; and the process' largest memory meanwhile.
 */
async function drain(pid: number, count: number, records: () => Promise<number>) {
  const deadline = performance.now() + WITHIN_MS
  let startedAt = performance.now()
  let [first, peakMiB] = [0, 0]
  for (;;) {
    const seen = await records()
    peakMiB = Math.max(peakMiB, residentMiB(pid))
    if (seen >= count) {
      const seconds = (performance.now() - startedAt) / 1_000
      return { rowsPerSecond: Math.round((count - first) / seconds), startedAt, peakMiB }
    }
    if (first === 0 && seen > 0) {
      first = seen
      startedAt = performance.now()
    }
    if (performance.now() > deadline) throw new Error(`only ${seen} of ${count} rows in Kafka`)
    await Bun.sleep(100)
  }
}

async function untilIndexed(
  { statusUrl, pid }: ReturnType<typeof startIndexer>,
  count: number,
  startedAt: number,
) {
  const deadline = performance.now() + WITHIN_MS
  let peakMiB = 0
  for (;;) {
    const metrics = await (await fetch(`${statusUrl}/metrics`)).text()
    const seen = samples(metrics, 'sns_index_documents_total')
    peakMiB = Math.max(peakMiB, residentMiB(pid))
    if (seen >= count) {
      const seconds = (performance.now() - startedAt) / 1_000
      return { rowsPerSecond: Math.round(count / seconds), peakMiB }
    }
    if (performance.now() > deadline) throw new Error(`only ${seen} of ${count} documents indexed`)
    await Bun.sleep(100)
  }
}

/**
 * Documents a second by bulk requests alone, of as many documents as were indexed, into an index of the same mapping:
 * the more it holds, the more of its work is merging.
 */
async function plainBulk(
  search: ElasticsearchClient,
  prefix: string,
  count: number,
): Promise<number> {
  const source = postsAlias(prefix)
  const index = `${prefix}-plain`
  const batches: (readonly Readonly<Record<string, unknown>>[])[] = []
  let after: number[] | null = null
  await search.call((api, call) => api.indices.refresh({ index: source }, call), {
    timeoutMs: 60_000,
  })
  while (batches.length * PLAIN_BATCH < Math.min(count, PLAIN_DOCUMENTS)) {
    const paging: { search_after?: number[] } = after === null ? {} : { search_after: after }
    const { hits } = await search.call((api, call) =>
      api.search<Record<string, unknown>>(
        { index: source, size: PLAIN_BATCH, sort: [{ id: 'asc' }], ...paging },
        call,
      ),
    )
    if (hits.hits.length === 0) break
    after = (hits.hits.at(-1)?.sort ?? []).map(Number)
    batches.push(hits.hits.map(({ _source = {} }) => _source))
  }
  const described = Object.values(
    await search.call((api, call) => api.indices.get({ index: source }, call)),
  )[0]
  const { analysis, similarity, number_of_shards, refresh_interval } =
    described?.settings?.index ?? {}
  await search.call((api, call) =>
    api.indices.create(
      {
        index,
        mappings: described?.mappings ?? {},
        settings: {
          ...{ number_of_replicas: 0, number_of_shards: Number(number_of_shards ?? 1) },
          ...(analysis && { analysis }),
          ...(similarity && { similarity }),
          ...(refresh_interval && { refresh_interval }),
        },
      },
      call,
    ),
  )
  try {
    let sent = 0
    const startedAt = performance.now()
    const send = async () => {
      while (sent < count) {
        const batch = batches[(sent / PLAIN_BATCH) % batches.length] ?? []
        const operations = batch.flatMap((document, at) => {
          const id = sent + at
          return [{ index: { _id: String(id) } }, { ...document, id }]
        })
        sent += PLAIN_BATCH
        const { errors } = await search.call((api, call) => api.bulk({ index, operations }, call), {
          timeoutMs: 60_000,
          attempts: 1,
        })
        if (errors) throw new Error('a plain bulk request failed')
      }
    }
    await Promise.all(Array.from({ length: PLAIN_AT_ONCE }, send))
    return Math.round(count / ((performance.now() - startedAt) / 1_000))
  } finally {
    await search.call((api, call) => api.indices.delete({ index }, call))
  }
}

/** Milliseconds from a commit until the post is found, sorted, while others are written at a steady rate. */
async function liveLag(
  search: ElasticsearchClient,
  prefix: string,
  rows: Rows,
  seconds: number,
): Promise<readonly number[]> {
  const until = performance.now() + seconds * 1_000
  const lags: number[] = []
  const waiting = new Map<PostId, number>()
  const writer = async (at: number) => {
    const interval = (1_000 * WRITERS) / WRITES_PER_SECOND
    for (let due = performance.now() + at; due < until; due += interval) {
      await Bun.sleep(Math.max(0, due - performance.now()))
      await rows.insertOne()
    }
  }
  const prober = async () => {
    while (performance.now() < until) {
      waiting.set(await rows.insertOne(), performance.now())
      await Bun.sleep(PROBE_EVERY_MS)
    }
  }
  // One search for all that are looked for: many would slow down what is measured.
  const looker = async () => {
    while (performance.now() < until || waiting.size > 0) {
      const query = { terms: { id: [...waiting.keys()] } }
      const { hits } = await search.call((api, call) =>
        api.search({ index: postsAlias(prefix), size: waiting.size, _source: false, query }, call),
      )
      for (const { _id } of hits.hits) {
        const id = Number(_id) as PostId
        const committedAt = waiting.get(id) ?? Number.NaN
        waiting.delete(id)
        lags.push(performance.now() - committedAt)
      }
      for (const [id, committedAt] of waiting) {
        if (performance.now() - committedAt > 60_000) throw new Error(`post ${id} is never found`)
      }
      await Bun.sleep(LOOK_EVERY_MS)
    }
  }
  await Promise.all([...Array.from({ length: WRITERS }, (_, at) => writer(at)), prober(), looker()])
  return lags.sort((a, b) => a - b)
}
