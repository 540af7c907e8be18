import { sleep } from './sleep'

/** Time as one process measures it: it never goes back, and says nothing about other processes. */
export interface MonotonicTime {
  /** Milliseconds since some moment. */
  now(): number
  /** Ends early, without an error, as soon as one of the signals aborts. */
  sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<void>
}

export const monotonicTime: MonotonicTime = { now: () => performance.now(), sleep }
