import { lockForProcess } from '@sns/shared/adapters/sqlite/process-lock'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { MysqlSettings, Settings } from '@sns/shared/config/program-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { BackendDeps } from '@sns/shared/runtime/backend-ports'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import type { ServerSettings } from '@sns/shared/runtime/server-backend'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'
import { createProgress } from './progress'

const LINE = COMMAND_LINES.migrate

/**
 * Creates or upgrades everything that the stores need, by the settings: tables, then where capture
 * begins, then topics, then indexes. Each step looks at what is there and does what is missing, so it
 * may be cut off, run again and run by several at once.
 */
export const migrate: Command = async ({ args, signal, cutOffBySignals }) => {
  refuseOperands(LINE, readCommandLine(LINE, args).positionals)
  const settings = loadSettings(environment, { role: LINE.role })
  // kafkajs warns about topics that are being created; the progress bar shows the state.
  const logger = createLogger('migrate', settings.logLevel === 'info' ? 'error' : settings.logLevel)
  const deps = { logger, metrics: createMetrics(), clock: systemClock }
  const progress = createProgress('steps')
  const report: Report = (step, done, total) => {
    progress.update(step, done, total)
    if (signal.aborted) throw new OperatorError('stopped; run migrate again to continue', 130)
  }
  try {
    // Embedded, a step keeps the process busy until it is done.
    if (settings.database.kind === 'sqlite') {
      await cutOffBySignals(() => migrateAll(settings, deps, report))
    } else await migrateAll(settings, deps, report)
  } finally {
    progress.stop()
  }
  console.log('everything is up to date')
}

type Report = (
  step: 'tables' | 'checkpoint' | 'topics' | 'indexes',
  done: number,
  total: number,
) => void

async function migrateAll(settings: Settings, deps: BackendDeps, report: Report): Promise<void> {
  const { database } = settings
  if (database.kind === 'sqlite') return migrateEmbedded(database.path, deps, report)
  await migrateMysql(database, deps, report)
  await migrateKafka({ ...settings, database }, deps, report)
  await migrateElasticsearch(settings, deps, report)
}

async function migrateEmbedded(path: string, { clock }: BackendDeps, report: Report) {
  const { openSqliteDatabase } = await import('@sns/shared/adapters/sqlite/database')
  const { migrateSqliteSearch } = await import('@sns/shared/adapters/sqlite/search-tables')
  using _lock = lockForProcess(path)
  await using database = await openSqliteDatabase({ path })
  report('tables', 1, 1)
  await migrateSqliteSearch({ db: database.db, clock })
  report('indexes', 1, 1)
}

async function migrateMysql(
  settings: MysqlSettings,
  { metrics, logger }: BackendDeps,
  report: Report,
) {
  const { connectMysql } = await import('@sns/shared/adapters/mysql/database')
  const { migrate } = await import('@sns/shared/adapters/sql/migrate')
  const { echoTo } = await import('@sns/shared/adapters/sql/database')
  const { createMysqlSession } = await import('@sns/cdc-indexer/capture/mysql/session')
  const { checkServer } = await import('@sns/cdc-indexer/capture/mysql/server-check')
  const { initCheckpoint } = await import('@sns/cdc-indexer/capture/mysql/checkpoint-store')
  await using mysql = await connectMysql(settings, {
    metrics,
    onStatement: settings.echo ? echoTo(logger) : null,
  })
  await using session = createMysqlSession(settings)
  await checkServer(session)
  await migrate(mysql.db, (_name, done, total) => report('tables', done, total + 1))
  report('tables', 1, 1)
  await initCheckpoint(settings)
  report('checkpoint', 1, 1)
}

async function migrateKafka(
  { kafka, keyPrefix: prefix, database: settings }: ServerSettings,
  { logger, metrics }: BackendDeps,
  report: Report,
) {
  const { createKafkaClient, createKafkaConnection } = await import(
    '@sns/shared/adapters/kafka/client'
  )
  const { migrateTopics } = await import('@sns/shared/adapters/kafka/topics')
  const { database } = settings
  const clientId = `${prefix}-migrate`
  const client = createKafkaClient(kafka, { clientId, logger, metrics })
  const { readWrittenTopics, noteWrittenTopics } = await import(
    '@sns/shared/adapters/mysql/written-topics'
  )
  const { connectMysql } = await import('@sns/shared/adapters/mysql/database')
  const { readTopicSizes, requireSizes } = await import('@sns/shared/adapters/kafka/topic-sizes')
  await using mysql = await connectMysql(settings, { metrics })
  const noted = await readWrittenTopics(mysql.db)
  const names = { prefix, database, generation: noted?.generation ?? 1 }
  await using connection = createKafkaConnection(client, (each) => each.admin())
  const { partitions, replication } = kafka
  const sizes = () => connection.run((admin) => readTopicSizes(admin, names))
  // What has grown since it was written says so first: no setting mends that.
  if (noted) {
    const found = await sizes().catch((error) => {
      // The next step says it better.
      if (isSnsError(error, 'store_unavailable')) return noted.partitions
      throw error
    })
    requireSizes(names, noted.partitions, found)
  }
  await migrateTopics(client, {
    ...names,
    partitions,
    replication,
    onProgress: ({ done, total }) => report('topics', done, total),
  })
  if (!noted) {
    await noteWrittenTopics(mysql.db, { generation: names.generation, partitions: await sizes() })
  }
}

async function migrateElasticsearch(
  { elasticsearch, keyPrefix: prefix }: Settings,
  { logger, metrics }: BackendDeps,
  report: Report,
) {
  const { createElasticsearchClient } = await import('@sns/shared/adapters/elasticsearch/client')
  const { migrateIndexes } = await import('@sns/shared/adapters/elasticsearch/migrate-indexes')
  await using client = createElasticsearchClient(elasticsearch, { logger, metrics })
  await migrateIndexes(client, {
    prefix,
    newIndex: elasticsearch.newIndex,
    onProgress: (_index, done, total) => report('indexes', done, total),
  })
}

if (import.meta.main)
  await runProgram('migrate', withHelp(LINE, migrate), { args: process.argv.slice(2) })
