import type { HealthCheck } from '@sns/shared/ports/health'
import { consumerGroupPrefix } from '@sns/shared/runtime/consumer-group'
import { runProgram } from '@sns/shared/runtime/program'
import type { ServiceSpec } from '@sns/shared/runtime/service'
import { serviceCommand } from '@sns/shared/runtime/service-command'
import { watchChangeLog } from '@sns/shared/runtime/watched-change-log'
import { createCapture } from './capture/capture'
import { createIndexer, INDEX_GROUP } from './index/indexer'

/** The binlog into the change log, and the change log into the search index. */
export const cdcIndexer: ServiceSpec = {
  name: 'cdc-indexer',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const { health: indexHealth, ...stores } = await backend.forIndex()
    const watched = watchChangeLog('index', stores.changeLog, clock)
    const health = [...indexHealth, watched.health]
    const indexer = createIndexer(
      { ...stores, changeLog: watched.changeLog, logger, metrics, clock },
      { group: `${consumerGroupPrefix(settings)}.${INDEX_GROUP}` },
    )
    const index = { name: 'index', run: indexer.run }
    const captureStores = await backend.forCapture()
    if (!captureStores) return { jobs: [index], health }
    const capture = createCapture({ ...captureStores, logger, metrics, clock })
    return {
      jobs: [{ name: 'capture', run: capture.run }, index],
      health: distinct([...captureStores.health, capture.health, ...health]),
    }
  },
}

/** One check a store: both halves watch Kafka. */
function distinct(checks: readonly HealthCheck[]): HealthCheck[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()]
}

if (import.meta.main) {
  await runProgram('cdc-indexer', serviceCommand(cdcIndexer, 'cdc-indexer'), { args: [] })
}
