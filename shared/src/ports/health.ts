/** Something a service cannot work without, asked by `/readyz`. Throws or rejects when it is away. */
export interface HealthCheck {
  readonly name: string
  check(): Promise<void>
}
