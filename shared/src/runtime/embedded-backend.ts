import { createMemoryFreshness } from '../adapters/memory/freshness'
import { createMemoryRateLimiter } from '../adapters/memory/rate-limiter'
import { createMemoryTimelineStore } from '../adapters/memory/timeline-store'
import { createSqlBulkLoader } from '../adapters/sql/bulk-loader'
import { echoTo } from '../adapters/sql/database'
import { createSqlSearchSource } from '../adapters/sql/search-source'
import { createSqliteChangeLog } from '../adapters/sqlite/change-log'
import { keepGroups } from '../adapters/sqlite/change-log-table'
import { openSqliteDatabase, type SqliteDatabase } from '../adapters/sqlite/database'
import { lockForProcess } from '../adapters/sqlite/process-lock'
import { openReaderThread } from '../adapters/sqlite/reader-thread'
import { createSqliteSearchIndex } from '../adapters/sqlite/search-index'
import { migrateSqliteSearch } from '../adapters/sqlite/search-tables'
import { whenAborted } from '../async/sleep'
import type { Settings, SqliteSettings } from '../config/program-settings'
import { createIdGenerator } from '../domain/id'
import type { DeadLetters } from '../ports/dead-letters'
import type { Backend, BackendDeps } from './backend-ports'
import { consumerGroups } from './consumer'
import type { Job } from './job'
import { createSqlStores } from './sql-stores'

export interface EmbeddedSettings extends Settings {
  readonly database: SqliteSettings
}

/**
 * Everything in this process: tables, change log and search in one SQLite file, timelines and caches in
 * memory. The file is made or upgraded, and held for this process alone.
 */
export async function createEmbeddedBackend(
  settings: EmbeddedSettings,
  { logger, metrics, clock }: BackendDeps,
): Promise<Backend> {
  await using opened = new AsyncDisposableStack()
  const { path, echo } = settings.database
  opened.use(lockForProcess(path))
  const onStatement = echo ? echoTo(logger) : null
  const database = opened.use(await openSqliteDatabase({ path, metrics, onStatement }))
  const { db } = database
  await migrateSqliteSearch({ db, clock })
  for (const group of await keepGroups(db, Object.values(consumerGroups(settings)))) {
    logger.warn({ group }, 'removed a consumer group of another KEY_PREFIX')
  }

  const ids = createIdGenerator({ clock })
  const stores = createSqlStores(db, { clock, ids })
  const timelines = createMemoryTimelineStore({ clock })
  const freshness = createMemoryFreshness()
  const rateLimiter = createMemoryRateLimiter()
  const rateLimiters = { shared: rateLimiter, local: rateLimiter }
  const changeLog = createSqliteChangeLog({ database, clock })
  const searches = opened.use(openReaderThread(path, onStatement))
  const search = createSqliteSearchIndex({ db, reads: searches.db, clock })
  const health = [database.health]

  const resources = opened.move()
  return {
    jobs: [flushing(database)],
    ids,
    clock,
    forApi: async () => ({ ...stores, timelines, freshness, rateLimiters, search, health }),
    forFanout: async () => ({
      users: stores.users,
      graph: stores.graph,
      posts: stores.posts,
      lanes: stores.lanes,
      deliveryProgress: stores.deliveryProgress,
      notifications: stores.notifications,
      tags: stores.tags,
      timelines,
      changeLog,
      announcer: freshness,
      health,
    }),
    forCapture: async () => null,
    forIndex: async () => ({
      changeLog,
      index: { current: async () => ({ id: '', search }) },
      deadLetters: NO_DEAD_LETTERS,
      health,
    }),
    forReindex: async () => null,
    forSearchVerify: async () => ({ search, source: createSqlSearchSource(db) }),
    forImport: async () => ({
      loader: createSqlBulkLoader(db, { clock }),
      users: stores.users,
      graph: stores.graph,
    }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** The index in SQLite takes every document. */
const NO_DEAD_LETTERS: DeadLetters = {
  add: async () => {},
  all: async () => [],
  remove: async () => {},
}

/** Ends the process where the disk failed: only a start anew finds out what is on it. */
function flushing({ failure }: SqliteDatabase): Job {
  return {
    name: 'sqlite',
    async run(signal) {
      await whenAborted(AbortSignal.any([signal, failure]))
      failure.throwIfAborted()
    },
  }
}
