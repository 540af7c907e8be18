import { runProgram } from '@sns/shared/runtime/program'
import type { ServiceSpec } from '@sns/shared/runtime/service'
import { serviceCommand } from '@sns/shared/runtime/service-command'
import { createCapture } from './capture/capture'

/** The binlog into the change log, and the change log into the search index. */
export const cdcIndexer: ServiceSpec = {
  name: 'cdc-indexer',
  address: ({ web, metricsPort }) => ({
    host: web.host,
    port: metricsPort ?? 8002,
    portSetting: 'METRICS_PORT',
  }),
  async assemble({ backend, logger, metrics, clock }) {
    const captureStores = await backend.forCapture()
    const capture = captureStores && createCapture({ ...captureStores, logger, metrics, clock })
    return {
      jobs: capture ? [{ name: 'capture', run: capture.run }] : [],
      health: captureStores && capture ? [...captureStores.health, capture.health] : [],
    }
  },
}

if (import.meta.main) {
  await runProgram('cdc-indexer', serviceCommand(cdcIndexer, 'cdc-indexer'), { args: [] })
}
