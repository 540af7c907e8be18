import { runProgram } from '@sns/shared/runtime/program'
import { type ServiceSpec, serviceCommand } from '@sns/shared/runtime/service'
import { createApp } from './app'
import { createDeletions, createHousekeeping } from './housekeeping'
import { createAnnouncedStores } from './memory/announced-stores'
import { signingKey } from './security/embedded-secret'

/** HTTP over the stores. */
export const api: ServiceSpec = {
  name: 'api',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const stores = await backend.forApi()
    const announced = createAnnouncedStores(stores, stores.freshness)
    const secretKey = signingKey(settings)
    return {
      jobs: [
        createHousekeeping({ ...announced, clock, logger }),
        createDeletions({ ...announced, logger }),
      ],
      health: stores.health,
      app: (state) =>
        createApp({
          ...stores,
          clock,
          ids: backend.ids,
          logger,
          metrics,
          ...state,
          settings: {
            cors: settings.cors,
            secretKey,
            sessionMaxDays: settings.sessionMaxDays,
            pageMemoryMib: settings.pageMemoryMib,
            rateLimits: settings.rateLimits,
            trustedProxies: settings.trustedProxies,
          },
        }),
    }
  },
}

if (import.meta.main) await runProgram('api', serviceCommand(api, 'api'), { args: [] })
