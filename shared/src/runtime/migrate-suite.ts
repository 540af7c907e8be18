import { lockForProcess } from '../adapters/sqlite/process-lock'
import type { Settings } from '../config/settings'
import type { BackendDeps } from './backend-ports'
import type { ServerSettings } from './server-backend'

export type MigrationStep = 'tables' | 'checkpoint' | 'topics' | 'indexes'

export interface MigrateOptions {
  readonly onProgress?: (step: MigrationStep, done: number, total: number) => void
}

/**
 * Creates or upgrades everything that the stores need: tables, then where capture begins, then topics,
 * then indexes. Each step looks at what is there and does what is missing, so it may be cut off, run
 * again and run by several at once.
 */
export async function migrateSuite(
  settings: Settings,
  deps: BackendDeps,
  { onProgress = () => {} }: MigrateOptions = {},
): Promise<void> {
  const { database } = settings
  const report: Report = { deps, onProgress }
  if (database.kind === 'sqlite') await migrateEmbedded(database.path, report)
  else await migrateServers({ ...settings, database }, report)
}

interface Report {
  readonly deps: BackendDeps
  readonly onProgress: NonNullable<MigrateOptions['onProgress']>
}

async function migrateEmbedded(path: string, { deps, onProgress }: Report): Promise<void> {
  const { openSqliteDatabase } = await import('../adapters/sqlite/database')
  const { migrateSqliteSearch } = await import('../adapters/sqlite/search-index-tables')
  using _lock = lockForProcess(path)
  await using database = await openSqliteDatabase({ path })
  onProgress('tables', 1, 1)
  await migrateSqliteSearch(database.db, deps.clock.now())
  onProgress('indexes', 1, 1)
}

async function migrateServers(settings: ServerSettings, report: Report): Promise<void> {
  await migrateMysql(settings.database, report)
  await migrateKafka(settings, report)
  await migrateElasticsearch(settings, report)
}

async function migrateMysql(
  settings: ServerSettings['database'],
  { deps: { metrics, logger }, onProgress }: Report,
): Promise<void> {
  const { connectMysql } = await import('../adapters/mysql/database')
  const { checkServer } = await import('../adapters/mysql/server-check')
  const { initCheckpoint } = await import('../adapters/mysql/checkpoint-store-init')
  const { migrate } = await import('../adapters/sql/migrate')
  await using mysql = await connectMysql(settings, {
    metrics,
    echo: settings.echo ? logger : null,
  })
  await checkServer(mysql.db)
  await migrate(mysql.db, (_name, done, total) => onProgress('tables', done, total + 1))
  onProgress('tables', 1, 1)
  const { kind: _, poolSize: __, echo: ___, ...server } = settings
  await initCheckpoint(server)
  onProgress('checkpoint', 1, 1)
}

async function migrateKafka(
  { kafka, keyPrefix: prefix, database }: ServerSettings,
  { deps: { logger, metrics }, onProgress }: Report,
): Promise<void> {
  const { createKafkaClient } = await import('../adapters/kafka/kafka-client')
  const { migrateTopics } = await import('../adapters/kafka/topics')
  const client = createKafkaClient(kafka.brokers, {
    clientId: `${prefix}-migrate`,
    logger,
    metrics,
  })
  await migrateTopics(client, {
    prefix,
    database: database.database,
    partitions: kafka.partitions,
    replication: kafka.replication,
    onProgress: ({ done, total }) => onProgress('topics', done, total),
  })
}

async function migrateElasticsearch(
  { elasticsearch, keyPrefix: prefix }: ServerSettings,
  { deps: { logger, metrics }, onProgress }: Report,
): Promise<void> {
  const { createElasticsearchClient } = await import('../adapters/elasticsearch/client')
  const { migrateIndexes } = await import('../adapters/elasticsearch/migrate-indexes')
  await using client = createElasticsearchClient(elasticsearch, { logger, metrics })
  await migrateIndexes(client, {
    prefix,
    replicas: elasticsearch.replicas,
    onProgress: (_index, done, total) => onProgress('indexes', done, total),
  })
}
