import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { createMysqlBinlogSource, type MysqlBinlogSourceOptions } from '../mysql/binlog-source'
import { readHead } from '../mysql/checkpoint-store'
import {
  createMysqlSession,
  type MysqlServer,
  type MysqlSession,
  SERVER_SQL,
  textCell,
} from '../mysql/session'
import type {
  BinlogItem,
  BinlogPosition,
  BinlogSource,
  SessionServer,
} from '../ports/binlog-source'

/** For tests: a migrated database of its own, with a connection that writes and a source that reads. */
export interface BinlogFixture extends AsyncDisposable {
  readonly server: MysqlServer
  readonly writer: MysqlSession
  /** Runs the statements one after the other on the writer's connection. */
  write(...statements: readonly string[]): Promise<void>
  /** Where the binlog ends now. */
  head(): Promise<BinlogPosition>
  readonly id: SessionServer['id']
  source(
    options?: MysqlBinlogSourceOptions,
    at?: { readonly host: string; readonly port: number },
  ): TestSource
}

/** A source, and the server that it reads. */
export type TestSource = BinlogSource & AsyncDisposable & { readonly from: SessionServer }

export async function openBinlogFixture(): Promise<BinlogFixture> {
  const database = await openTestDatabase('mysql')
  const url = new URL(database.url)
  const server: MysqlServer = {
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    tls: null,
  }
  const writer = createMysqlSession(server, { timeoutMs: 60_000 })
  const [found] = await writer.query(SERVER_SQL)
  const id = textCell(found, 'id').toLowerCase()
  const deps = { logger: createLogger('test', 'silent'), metrics: createMetrics() }
  return {
    server,
    writer,
    async write(...statements) {
      for (const statement of statements) await writer.query(statement)
    },
    head: () => readHead(writer),
    id,
    source: (options, { host, port } = server) => ({
      ...createMysqlBinlogSource({ ...deps, server: { ...server, host, port } }, options),
      from: { id, isKnown: true, published: [] },
    }),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

type BinlogChange = Extract<BinlogItem, { kind: 'change' }>
export type Change = BinlogChange['event']

export type ReadItem =
  | BinlogChange
  | { readonly kind: 'commit'; readonly gtid: string; readonly position: BinlogPosition }

/** What a source reads, one by one, until the signal aborts; throws what it fails with behind the rest. */
export async function* readItems(
  source: TestSource,
  from: BinlogPosition,
  signal: AbortSignal,
): AsyncGenerator<ReadItem, void, void> {
  const items: ReadItem[] = []
  const done = new AbortController()
  let news = Promise.withResolvers<void>()
  let isOver = false
  const add = (item: BinlogItem) => {
    items.push(item.kind === 'commit' ? { ...item, position: item.position() } : item)
    news.resolve()
    return null
  }
  const reading = source.read(from, source.from, { add }, AbortSignal.any([signal, done.signal]))
  const over = () => {
    isOver = true
    news.resolve()
  }
  reading.then(over, over)
  try {
    for (;;) {
      const item = items.shift()
      if (item) yield item
      else if (isOver) return await reading
      else {
        await news.promise
        news = Promise.withResolvers()
      }
    }
  } finally {
    done.abort()
    await reading.catch(() => {})
  }
}

export interface Collected {
  readonly changes: Change[]
  readonly last: BinlogPosition
}

/** Reads until a commit behind which `isDone` holds. */
export async function collect(
  source: TestSource,
  from: BinlogPosition,
  isDone: (changes: readonly Change[]) => boolean,
): Promise<Collected> {
  const stop = new AbortController()
  const changes: Change[] = []
  for await (const item of readItems(source, from, stop.signal)) {
    if (item.kind === 'change') changes.push(item.event)
    else if (isDone(changes)) {
      stop.abort()
      return { changes, last: item.position }
    }
  }
  throw new Error('the stream ended')
}

/** The statement of a post's row; ids are made up by the test. */
export function insertPosts(ids: readonly number[], text = 'text'): string {
  const rows = ids.map((id) => `(${id}, 7, '${text}', 1, 1700000000000, null, 1700000000000)`)
  return `INSERT INTO posts (id, author_id, text, version, created_at, edited_at, updated_at) VALUES ${rows.join(',')}`
}
