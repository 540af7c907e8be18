import type { Settings } from '../config/program-settings'
import type { Backend, BackendDeps } from './backend-ports'

/** Opens the backend that `DATABASE_URL` names. The other backend's code is not loaded. */
export async function createBackend(settings: Settings, deps: BackendDeps): Promise<Backend> {
  const { database } = settings
  if (database.kind === 'sqlite') {
    const { createEmbeddedBackend } = await import('./embedded-backend')
    return createEmbeddedBackend({ ...settings, database }, deps)
  }
  const { createServerBackend } = await import('./server-backend')
  return createServerBackend({ ...settings, database }, deps)
}
