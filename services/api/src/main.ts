import { runProgram } from '@sns/shared/runtime/program'
import { type ServiceSpec, serviceCommand } from '@sns/shared/runtime/service'
import { createApp } from './app'
import { createDeliveryWatch } from './delivery-watch'
import { createDeletions, createHousekeeping } from './housekeeping'
import { createAnnouncedStores } from './memory/announced-stores'
import { createMemory } from './memory/memory'
import { signingKey } from './security/embedded-secret'

/** HTTP over the stores. */
export const api: ServiceSpec = {
  name: 'api',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const stores = await backend.forApi()
    const memory = createMemory(
      { ...stores, clock, metrics, logger },
      { maxMib: settings.pageMemoryMib },
    )
    const announced = createAnnouncedStores(stores, stores.freshness, memory.pieces)
    const secretKey = signingKey(settings)
    return {
      jobs: [
        createHousekeeping({ ...stores, ...announced, clock, logger }),
        createDeletions({ ...announced, logger }),
        createDeliveryWatch({ ...memory, logger }),
      ],
      health: stores.health,
      verifyMemory: memory.verify,
      app: (state) =>
        createApp({
          ...stores,
          memory,
          clock,
          ids: backend.ids,
          logger,
          metrics,
          ...state,
          settings: {
            cors: settings.cors,
            secretKey,
            sessionMaxDays: settings.sessionMaxDays,
            rateLimits: settings.rateLimits,
            trustedProxies: settings.trustedProxies,
            publicUrl: settings.publicUrl,
            eventStreams: settings.eventStreams,
            feedReads: settings.feedReads,
            eventMemoryMib: settings.eventMemoryMib,
          },
        }),
    }
  },
}

if (import.meta.main) await runProgram('api', serviceCommand(api, 'api'), { args: [] })
