import { consumerGroups } from '@sns/shared/runtime/consumer-group'
import { runProgram } from '@sns/shared/runtime/program'
import type { ServiceSpec } from '@sns/shared/runtime/service'
import { serviceCommand } from '@sns/shared/runtime/service-command'
import { watchChangeLog } from '@sns/shared/runtime/watched-change-log'
import { createFanoutWorker } from './fanout-worker'

/** The change log into timelines. */
export const fanoutWorker: ServiceSpec = {
  name: 'fanout-worker',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const { health, ...stores } = await backend.forFanout()
    const watched = watchChangeLog('fan-out', stores.changeLog, clock)
    const worker = createFanoutWorker(
      { ...stores, changeLog: watched.changeLog, logger, metrics, clock },
      { group: consumerGroups(settings).fanout },
    )
    return { jobs: [{ name: 'fan-out', run: worker.run }], health: [...health, watched.health] }
  },
}

if (import.meta.main) {
  await runProgram('fanout-worker', serviceCommand(fanoutWorker, 'fanout-worker'), { args: [] })
}
