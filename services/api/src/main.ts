import { runProgram } from '@sns/shared/runtime/program'
import type { ServiceSpec } from '@sns/shared/runtime/service'
import { serviceCommand } from '@sns/shared/runtime/service-command'
import { createApp } from './app'
import { createHousekeeping } from './housekeeping'
import { signingKey } from './security/embedded-secret'

/** HTTP over the stores. */
export const api: ServiceSpec = {
  name: 'api',
  async assemble({ settings, backend, logger, metrics, clock }) {
    const stores = await backend.forApi()
    const secretKey = signingKey(settings)
    return {
      jobs: [createHousekeeping({ ...stores, clock, logger })],
      health: stores.health,
      app: (health) =>
        createApp({
          ...stores,
          clock,
          ids: backend.ids,
          logger,
          metrics,
          health,
          settings: { cors: settings.cors, secretKey, sessionMaxDays: settings.sessionMaxDays },
        }),
    }
  },
}

if (import.meta.main) await runProgram('api', serviceCommand(api, 'api'), { args: [] })
