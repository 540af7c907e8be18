import type { Clock } from '../domain/clock'

/** A clock that changes only when a test moves it. Starts in 2026. */
export interface ManualClock extends Clock {
  advance(ms: number): void
}

export function createManualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start
  return {
    now: () => now,
    advance(ms) {
      now += ms
    },
  }
}
