import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite'
import { Mutex } from 'async-mutex'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { LRUCache } from 'lru-cache'
import { storeUnavailable } from '../../errors/sns-error'
import type { SqlTraits } from '../sql/database'
import { isBusy, sqliteDuplicateIndex, translateSqliteError } from './errors'
import type { WalFlusher } from './wal-flusher'

export interface SqliteDialectDeps {
  /** Holds every write. */
  readonly writer: Database
  /** Answers selects outside transactions, so that no read waits for someone's transaction. */
  readonly reader: Database | null
  /** A commit is acknowledged only when it was flushed; null where there is no disk. */
  readonly flusher: Pick<WalFlusher, 'flush' | 'failure'> | null
  /** Told of each commit once others can see it. */
  readonly onCommit: () => void
  readonly onError: (error: unknown) => void
}

export interface SqliteDialectOptions {
  /** How long a write waits for a writer in another process. */
  readonly busyTimeoutMs: number
}

/** Kysely's SQLite dialect over bun:sqlite, with a driver that lets reads pass transactions. */
export function createSqliteDialect(
  deps: SqliteDialectDeps,
  options: SqliteDialectOptions,
): Dialect {
  return {
    createAdapter: () => new BunSqliteAdapter(),
    createDriver: () => new SqliteDriver({ ...deps, ...options }),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class BunSqliteAdapter extends SqliteAdapter implements SqlTraits {
  readonly kind = 'sqlite'

  /** The driver lets one transaction write at a time. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** Waiting for a lock happens before a transaction begins; none is rolled back by another. */
  isTransient(): boolean {
    return false
  }

  duplicateIndex(error: unknown): string | null {
    return sqliteDuplicateIndex(error)
  }

  onRetry(): void {}
}

/** Prepared statements that a connection keeps: those used last. */
const STATEMENTS = 400

/**
 * Kysely's driver over two bun:sqlite connections. Statements run synchronously; what takes turns is
 * transactions: one holds the writer from begin to end, and everyone else's writes queue behind it,
 * so interleaved requests never end up inside another's transaction.
 */
class SqliteDriver implements Driver {
  readonly #writer: Connection
  readonly #reader: Connection | null
  readonly #turn = new Mutex()

  constructor(private readonly options: SqliteDialectDeps & SqliteDialectOptions) {
    this.#writer = new Connection(options.writer)
    this.#reader = options.reader && new Connection(options.reader)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Session(this.#writer, this.#reader, this.#turn, this.options)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings) {
    await sessionOf(connection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection) {
    await sessionOf(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection) {
    sessionOf(connection).rollback()
  }

  async releaseConnection(connection: DatabaseConnection) {
    sessionOf(connection).rollback()
  }

  async destroy(): Promise<void> {
    this.#reader?.close()
    this.#writer.close()
  }
}

/** One user of the database between acquire and release. */
class Session implements DatabaseConnection {
  #inTransaction = false
  #wrote = false

  constructor(
    private readonly writer: Connection,
    private readonly reader: Connection | null,
    private readonly turn: Mutex,
    private readonly options: SqliteDialectDeps & SqliteDialectOptions,
  ) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction) {
      this.#wrote ||= !isSelect(query)
      return this.#translated(() => this.writer.run<R>(query))
    }
    const reader = isSelect(query) ? this.reader : null
    if (reader) return this.#translated(() => reader.run<R>(query))
    await this.turn.acquire()
    let result: QueryResult<R>
    try {
      if (!isSelect(query)) this.#refuseIfDiskFailed()
      result = await this.#unlessBusy(() => this.writer.run<R>(query))
    } finally {
      this.turn.release()
    }
    if (!isSelect(query)) await this.#committed()
    return result
  }

  /** All rows at once: a statement left open would keep the WAL from being checkpointed. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }

  /** Immediate, so that a transaction that reads before it writes cannot fail half-way as busy. */
  async begin(settings: TransactionSettings): Promise<void> {
    await this.turn.acquire()
    try {
      if (settings.accessMode !== 'read only') this.#refuseIfDiskFailed()
      const begin = settings.accessMode === 'read only' ? 'begin' : 'begin immediate'
      await this.#unlessBusy(() => this.writer.run(CompiledQuery.raw(begin)))
      this.#inTransaction = true
    } catch (error) {
      this.turn.release()
      throw error
    }
  }

  async commit(): Promise<void> {
    if (this.#wrote) this.#refuseIfDiskFailed()
    this.#translated(() => this.writer.run(CompiledQuery.raw('commit')))
    const wrote = this.#wrote
    this.#end()
    if (wrote) await this.#committed()
  }

  /** SQLite itself rolls back on some errors (a full disk); then there is nothing left to undo. */
  rollback(): void {
    if (!this.#inTransaction) return
    try {
      if (this.writer.isInTransaction) this.writer.run(CompiledQuery.raw('rollback'))
    } finally {
      this.#end()
    }
  }

  async #committed(): Promise<void> {
    this.options.onCommit()
    try {
      await this.options.flusher?.flush()
    } catch (error) {
      this.options.onError(error)
      throw storeUnavailable('sqlite', error)
    }
  }

  /** A commit made now could be acknowledged without being on disk. */
  #refuseIfDiskFailed(): void {
    const failure = this.options.flusher?.failure
    if (failure?.aborted) throw storeUnavailable('sqlite', failure.reason)
  }

  #end(): void {
    this.#inTransaction = false
    this.#wrote = false
    this.turn.release()
  }

  #translated<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#translate(error)
    }
  }

  /** Waits without blocking the event loop, which SQLite's own busy handler would. */
  async #unlessBusy<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + this.options.busyTimeoutMs
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw this.#translate(error)
        await Bun.sleep(Math.random() * 5)
      }
    }
  }

  #translate(error: unknown): unknown {
    const translated = translateSqliteError(error)
    if (translated !== error) this.options.onError(error)
    return translated
  }
}

/** A bun:sqlite database with its prepared statements, by their text. */
class Connection {
  readonly #statements = new LRUCache<string, Statement<unknown, SQLQueryBindings[]>>({
    max: STATEMENTS,
    dispose: (statement) => statement.finalize(),
  })

  constructor(private readonly database: Database) {}

  get isInTransaction(): boolean {
    return this.database.inTransaction
  }

  run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const statement = this.#prepared(sql)
    const bindings = parameters as SQLQueryBindings[]
    if (statement.columnNames.length > 0) return { rows: statement.all(...bindings) as R[] }
    const { changes, lastInsertRowid } = statement.run(...bindings)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  close(): void {
    this.#statements.clear()
    this.database.close()
  }

  #prepared(sql: string): Statement<unknown, SQLQueryBindings[]> {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.database.prepare<unknown, SQLQueryBindings[]>(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function sessionOf(connection: DatabaseConnection): Session {
  if (connection instanceof Session) return connection
  throw new TypeError('not a connection of this driver')
}

function isSelect({ sql }: CompiledQuery): boolean {
  return /^\s*select\b/i.test(sql)
}
