import { api } from '@sns/api/main'
import { cdcIndexer } from '@sns/cdc-indexer/main'
import { fanoutWorker } from '@sns/fanout-worker/main'
import type { HealthCheck } from '@sns/shared/ports/health'
import { optionalCheck } from '@sns/shared/runtime/readiness'
import type { ServiceSpec } from '@sns/shared/runtime/service'

/**
 * All services in one process, on the api's two ports. It is ready when its api is. A store that
 * only the workers need is reported; they continue when it is back.
 */
export const suite: ServiceSpec = {
  name: 'sns',
  async assemble(context) {
    const front = await api.assemble(context)
    const workers = await Promise.all(
      [fanoutWorker, cdcIndexer].map((each) => each.assemble(context)),
    )
    const known = new Set(front.health.map(({ name }) => name))
    const others = new Map<string, HealthCheck>()
    for (const check of workers.flatMap(({ health }) => health)) {
      if (!known.has(check.name)) others.set(check.name, optionalCheck(check))
    }
    return {
      ...front,
      jobs: [...front.jobs, ...workers.flatMap(({ jobs }) => jobs)],
      health: [...front.health, ...others.values()],
    }
  },
}
