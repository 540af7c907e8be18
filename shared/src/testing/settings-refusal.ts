import type { Environment } from '../config/environment'
import { loadSettings } from '../config/load-settings'
import type { Role } from '../config/settings'
import { OperatorError } from '../errors/operator-error'

/** The error message for a wrong environment; throws if the environment is accepted. */
export function settingsRefusal(env: Environment, role: Role = 'suite'): OperatorError {
  try {
    loadSettings(env, { role })
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}
