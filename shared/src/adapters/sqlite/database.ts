import { Database as BunDatabase, type DatabaseOptions } from 'bun:sqlite'
import { realpathSync } from 'node:fs'
import { Kysely } from 'kysely'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'
import { createSqlHealthCheck, type StatementListener } from '../sql/database'
import { migrate } from '../sql/migrate'
import type { Database } from '../sql/schema'
import { createSqliteDialect } from './dialect'
import { codeOf } from './errors'
import { closeToOthers, ensurePrivateFile, makePrivateFolder } from './private-files'
import { createWalFlusher, type WalFlusherDeps, walFiles } from './wal-flusher'

export interface SqliteDatabaseOptions {
  /** A file, made with its folder where there is none; `:memory:` for one that ends with the process. */
  readonly path: string
  readonly metrics?: Pick<Metrics, 'storeErrors'> | null
  /** Such as `echoTo(logger)`. */
  readonly onStatement?: StatementListener | null
  /** How long a write waits for another process's. */
  readonly busyTimeoutMs?: number
  /** Creates or upgrades the tables; on by default, as embedded runs need no operator. */
  readonly migrate?: boolean
  /** How the WAL file is opened to be flushed. */
  readonly wal?: WalFlusherDeps
}

/**
 * An open SQLite database. A write is acknowledged when it is on disk. All writes of this process must
 * go through `db`: a second connection's write would wait for a transaction that cannot go on while it
 * waits.
 */
export interface SqliteDatabase extends AsyncDisposable {
  readonly db: Kysely<Database>
  readonly path: string
  /**
   * Aborts, with an `OperatorError` as its reason, when a commit could not be flushed to disk. From then
   * on every write fails with `store_unavailable`, until the file is opened again.
   */
  readonly failure: AbortSignal
  /** Red once nothing can be written any more, though reads go on. */
  readonly health: HealthCheck
  /** Calls the listener after each commit of this process; returns the way to stop. */
  onCommit(listener: () => void): () => void
}

const CACHE_KIB = 32 * 1024

/** Opens the file, migrates it, and answers once it can be used. */
export async function openSqliteDatabase(options: SqliteDatabaseOptions): Promise<SqliteDatabase> {
  const { path, metrics = null, onStatement = null, wal = walFiles } = options
  const inMemory = path === ':memory:'
  const listeners = new Set<() => void>()
  const { writer, reader } = openFiles(path, inMemory)
  // SQLite keeps the WAL beside the database itself, also where the path is a link to it.
  const flusher = inMemory ? null : createWalFlusher(wal, { path: `${realpathSync(path)}-wal` })
  const db = new Kysely<Database>({
    dialect: createSqliteDialect(
      {
        writer,
        reader,
        flusher,
        onCommit() {
          for (const listener of listeners) listener()
        },
        onError: () => metrics?.storeErrors.inc({ store: 'sqlite' }),
      },
      { busyTimeoutMs: options.busyTimeoutMs ?? 5_000 },
    ),
    ...(onStatement && { log: onStatement }),
  })
  try {
    if (options.migrate ?? true) await migrate(db)
  } catch (error) {
    await flusher?.[Symbol.asyncDispose]()
    await db.destroy()
    throw error
  }
  const { failure } = flusher ?? { failure: new AbortController().signal }
  const answering = createSqlHealthCheck(db)
  return {
    db,
    path,
    failure,
    health: {
      ...answering,
      async check() {
        failure.throwIfAborted()
        await answering.check()
      },
    },
    onCommit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      listeners.clear()
      await flusher?.[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

function openFiles(path: string, inMemory: boolean) {
  try {
    if (!inMemory) {
      makePrivateFolder(path)
      // SQLite gives the WAL and the shared memory the mode of the database.
      ensurePrivateFile(path)
    }
    const writer = open(path, { create: true, readwrite: true })
    writer.run('pragma journal_mode = wal')
    // Only now is it known to be a database, and not a file of somebody's that was named by mistake.
    if (!inMemory) {
      const real = realpathSync(path)
      for (const file of [real, `${real}-wal`, `${real}-shm`]) closeToOthers(file)
    }
    // Keeps the file consistent after a power cut, but may lose the last commits: the flusher prevents that.
    writer.run('pragma synchronous = normal')
    // Commits that an earlier process failed to flush may exist in the page cache only. Copy them into the
    // database file first, so that no new commit in the WAL depends on them.
    writer.run('pragma wal_checkpoint(truncate)')
    // Whoever ran ANALYZE left what was true of the rows then. Without statistics a plan depends on the query alone.
    writer.run('drop table if exists sqlite_stat1')
    writer.run('drop table if exists sqlite_stat4')
    return { writer, reader: inMemory ? null : open(path, { readonly: true }) }
  } catch (error) {
    throw new OperatorError(
      `DATABASE_URL: ${path} ${
        codeOf(error) === 'SQLITE_NOTADB'
          ? 'is not an SQLite database; name another file or move it away'
          : `cannot be opened (${asError(error).message}); check the path and its permissions`
      }`,
      1,
      { cause: error },
    )
  }
}

function open(path: string, options: DatabaseOptions): BunDatabase {
  const database = new BunDatabase(path, { strict: true, ...options })
  database.run('pragma foreign_keys = off')
  database.run(`pragma cache_size = -${CACHE_KIB}`)
  database.run('pragma temp_store = memory')
  return database
}
