/** A check that `/readyz` runs. It throws or rejects when the thing is unavailable. */
export interface HealthCheck {
  readonly name: string
  /** Reported, but the service stays ready without it: it works, more slowly. */
  readonly optional?: boolean
  check(): Promise<void>
}
