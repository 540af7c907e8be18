import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { createMysqlBinlogSource, type MysqlBinlogSourceOptions } from '../mysql/binlog-source'
import { createMysqlSession, type MysqlServer, type MysqlSession } from '../mysql/session'
import type { BinlogItem, BinlogPosition, BinlogSource } from '../ports/binlog-source'

/** For tests: a migrated database of its own, with a connection that writes and a source that reads. */
export interface BinlogFixture extends AsyncDisposable {
  readonly server: MysqlServer
  readonly writer: MysqlSession
  /** Runs the statements one after the other on the writer's connection. */
  write(...statements: readonly string[]): Promise<void>
  source(
    options?: MysqlBinlogSourceOptions,
    at?: { readonly host: string; readonly port: number },
  ): BinlogSource & AsyncDisposable
}

export async function openBinlogFixture(): Promise<BinlogFixture> {
  const database = await openTestDatabase('mysql')
  const url = new URL(database.url)
  const server: MysqlServer = {
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
  }
  const writer = createMysqlSession(server, { timeoutMs: 60_000 })
  const deps = { logger: createLogger('test', 'silent'), metrics: createMetrics() }
  return {
    server,
    writer,
    async write(...statements) {
      for (const statement of statements) await writer.query(statement)
    },
    source: (options, { host, port } = server) =>
      createMysqlBinlogSource({ ...server, host, port }, deps, options),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

export type Change = Extract<BinlogItem, { kind: 'change' }>['event']

export interface Collected {
  readonly changes: Change[]
  readonly last: BinlogPosition
}

/** Reads until a commit behind which `isDone` holds. */
export async function collect(
  source: BinlogSource,
  from: BinlogPosition,
  isDone: (changes: readonly Change[]) => boolean,
): Promise<Collected> {
  const stop = new AbortController()
  const changes: Change[] = []
  for await (const item of source.stream(from, 0, stop.signal)) {
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
