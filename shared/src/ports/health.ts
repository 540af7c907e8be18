/** Something a service works with, asked by `/readyz`. Throws or rejects when it is unavailable. */
export interface HealthCheck {
  readonly name: string
  /** Its absence is shown but leaves the service ready: the main job is done without it, slower. */
  readonly optional?: boolean
  check(): Promise<void>
}
