import type { SQLQueryBindings } from 'bun:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { storeUnavailable } from '../../errors/sns-error'
import type { StatementListener } from '../sql/database'
import type { Database } from '../sql/schema'
import { isUnavailable } from './errors'
import type { ReaderAnswer, ReaderRequest } from './reader-worker'
// @ts-expect-error: as text, not as a module.
import source from './reader-worker.ts' with { type: 'text' }

export interface ReaderThread extends AsyncDisposable {
  /** Takes selects outside transactions alone, and sees every commit before them. */
  readonly db: Kysely<Database>
}

const CACHE_KIB = 8 * 1024

/**
 * The file of an open SQLite database on a thread of its own, for statements of which nobody can say how long they
 * take: SQLite answers in one go, and whoever else wants the event loop would wait for as long.
 */
export function openReaderThread(
  path: string,
  onStatement: StatementListener | null = null,
): ReaderThread {
  const driver = new ThreadDriver(path)
  const db = new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (each) => new SqliteIntrospector(each),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    ...(onStatement && { log: onStatement }),
  })
  return { db, [Symbol.asyncDispose]: () => db.destroy() }
}

interface Waiting {
  readonly resolve: (rows: unknown[]) => void
  readonly reject: (error: unknown) => void
}

class ThreadDriver implements Driver, DatabaseConnection {
  readonly #waiting = new Map<number, Waiting>()
  readonly #worker: Worker
  #last = 0
  #failure: Error | null = null

  constructor(path: string) {
    // Of its text, as the executable has no file of it.
    const program = new Blob([String(source)], { type: 'application/typescript' })
    this.#worker = new Worker(URL.createObjectURL(program))
    this.#worker.unref()
    this.#worker.onmessage = ({ data }: MessageEvent<ReaderAnswer>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if (this.#waiting.size === 0) this.#worker.unref()
      if ('rows' in data) waiting?.resolve(data.rows)
      else waiting?.reject(toError(data))
    }
    this.#worker.onerror = ({ message }) => this.#fail(new Error(message))
    this.#send({ kind: 'open', path, cacheKib: CACHE_KIB })
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#failure) throw storeUnavailable('sqlite', this.#failure)
    const id = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>()
    this.#waiting.set(id, { resolve, reject })
    this.#worker.ref()
    this.#send({ kind: 'query', id, sql, parameters: [...parameters] as SQLQueryBindings[] })
    return { rows: (await promise) as Row[] }
  }

  async destroy(): Promise<void> {
    this.#fail(new Error('the database is closed'))
    this.#worker.terminate()
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this
  }
  async releaseConnection(): Promise<void> {}
  beginTransaction = refuse
  commitTransaction = refuse
  rollbackTransaction = refuse

  // biome-ignore lint/correctness/useYield: Kysely asks for one; nobody streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('a reader thread does not stream')
  }

  #send(request: ReaderRequest): void {
    this.#worker.postMessage(request)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(storeUnavailable('sqlite', error))
    this.#waiting.clear()
  }
}

async function refuse(): Promise<never> {
  throw new Error('a reader thread has no transactions')
}

function toError({ code, message }: Extract<ReaderAnswer, { code: string }>): Error {
  const error = Object.assign(new Error(message), { code })
  return isUnavailable(code) ? storeUnavailable('sqlite', error) : error
}
