import type { HealthCheck } from '@sns/shared/ports/health'
import type { CaptureServers } from '@sns/shared/runtime/backend-ports'
import { consumerGroups } from '@sns/shared/runtime/consumer'
import { runProgram } from '@sns/shared/runtime/program'
import { type ServiceContext, type ServiceSpec, serviceCommand } from '@sns/shared/runtime/service'
import { type Capture, createCapture } from './capture/capture'
import { createIndexer } from './index/indexer'

/** The binlog into the change log, and the change log into the search index. */
export const cdcIndexer: ServiceSpec = {
  name: 'cdc-indexer',
  // With less it takes more of the processor, with more it keeps what it is done with for long.
  runtimeMemory: 208 * 2 ** 20,
  async assemble(context) {
    const { settings, backend, logger, metrics, clock } = context
    const { health: indexHealth, ...stores } = await backend.forIndex()
    const index = createIndexer(
      { ...stores, logger, metrics, clock },
      { group: consumerGroups(settings).index },
    )
    const health = [...indexHealth, index.health]
    const servers = await backend.forCapture()
    if (!servers) return { jobs: [index], health }
    const capture = await openCapture(servers, context)
    return {
      jobs: [{ name: 'capture', run: capture.run }, index],
      health: distinct([...servers.health, capture.health, ...health]),
    }
  },
}

/** Capture from MySQL to Kafka. Their drivers load here, so that an embedded suite never loads them. */
async function openCapture(
  { mysql, kafka, topics }: CaptureServers,
  { logger, metrics, clock }: ServiceContext,
): Promise<Capture> {
  const { createMysqlBinlogSource } = await import('./capture/mysql/binlog-source')
  const { createMysqlCheckpointStore } = await import('./capture/mysql/checkpoint-store')
  const { createMysqlSnapshotStore } = await import('./capture/mysql/snapshot-store')
  const { createKafkaChangePublisher } = await import('./capture/kafka/change-publisher')
  const source = createMysqlBinlogSource({ server: mysql, logger, metrics })
  const publisher = createKafkaChangePublisher(kafka, topics)
  const checkpoints = createMysqlCheckpointStore(mysql)
  const snapshots = createMysqlSnapshotStore(mysql)
  const deps = { source, checkpoints, publisher, snapshots, logger, metrics, clock }
  const capture = createCapture(deps)
  return {
    ...capture,
    async run(signal) {
      await using _source = source
      await using _publisher = publisher
      await using _snapshots = snapshots
      await capture.run(signal)
    },
  }
}

/** One health check for each store: both halves use Kafka. */
function distinct(checks: readonly HealthCheck[]): HealthCheck[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()]
}

if (import.meta.main) {
  await runProgram('cdc-indexer', serviceCommand(cdcIndexer, 'cdc-indexer'), { args: [] })
}
