import { whenAborted } from '../async/sleep'
import { environment } from '../config/environment'
import { loadSettings } from '../config/load-settings'
import type { Role } from '../config/settings'
import { OperatorError } from '../errors/operator-error'
import type { Command } from './program'
import { type ServiceSpec, startService } from './service'

/** Runs a service by the environment until it is asked to stop or a job of it fails. */
export function serviceCommand(spec: ServiceSpec, role: Role): Command {
  return async ({ signal, extendDrain }) => {
    const settings = loadSettings(environment, { role })
    if (settings.database.kind === 'sqlite' && role !== 'suite') {
      throw new OperatorError(
        `start ${role} needs DATABASE_URL=mysql://…: embedded mode runs all services in one process, by start alone`,
        2,
      )
    }
    await using service = await startService(spec, settings)
    extendDrain(service.leaveMs)
    await Promise.race([service.ended, whenAborted(signal)])
    // A person at a terminal has no proxy that must turn away first.
    if (signal.reason !== 'SIGINT') await Promise.race([service.ended, service.leave()])
  }
}
