import { consumerGroups } from '@sns/shared/runtime/consumer'
import { runProgram } from '@sns/shared/runtime/program'
import { type ServiceSpec, serviceCommand } from '@sns/shared/runtime/service'
import { createAnnouncements } from './announcements'
import { createDeliveryRecorder } from './delivery-recorder'
import { createDerivedTables } from './derived-tables'
import { createFanoutWorker } from './fan-out'
import { createLanes } from './lanes'

/** Consumes the change log: pushes posts to timelines, announces changes to processes, derives tags and notifications. */
export const fanoutWorker: ServiceSpec = {
  name: 'fanout-worker',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const { health, ...stores } = await backend.forFanout()
    const deps = { ...stores, logger, metrics, clock }
    const groups = consumerGroups(settings)
    const lanes = createLanes(deps, { pullAbove: settings.pullFollowers })
    const consumers = [
      createFanoutWorker({ ...deps, lanes, hints: deps.announcer }, { group: groups.fanout }),
      createAnnouncements(deps, { group: groups.announce }),
      createDerivedTables({ ...deps, hints: deps.announcer }, { group: groups.derive }),
    ]
    const recorder = createDeliveryRecorder(deps, { group: groups.fanout })
    return {
      jobs: [...consumers, recorder],
      health: [...health, ...consumers.map((each) => each.health)],
    }
  },
}

if (import.meta.main) {
  await runProgram('fanout-worker', serviceCommand(fanoutWorker, 'fanout-worker'), { args: [] })
}
