import { runProgram } from '@sns/shared/runtime/program'
import type { ServiceSpec } from '@sns/shared/runtime/service'
import { serviceCommand } from '@sns/shared/runtime/service-command'
import { createFanoutWorker } from './fanout-worker'

/** The change log into timelines. */
export const fanoutWorker: ServiceSpec = {
  name: 'fanout-worker',
  address: ({ web, metricsPort }) => ({
    host: web.host,
    port: metricsPort ?? 8001,
    portSetting: 'METRICS_PORT',
  }),
  async assemble({ settings, backend, logger, metrics, clock }) {
    const { health, ...stores } = await backend.forFanout()
    const worker = createFanoutWorker(
      { ...stores, logger, metrics, clock },
      { groupPrefix: settings.keyPrefix },
    )
    return { jobs: [{ name: 'fan-out', run: worker.run }], health }
  },
}

if (import.meta.main) {
  await runProgram('fanout-worker', serviceCommand(fanoutWorker, 'fanout-worker'), { args: [] })
}
