import type { HealthCheck } from '../ports/health'

/** The check of something that a service does its job without, slower. */
export function optionalCheck(check: HealthCheck): HealthCheck {
  return { name: check.name, optional: true, check: () => check.check() }
}
