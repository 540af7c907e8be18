/** Where time comes from: milliseconds since the Unix epoch. Tests turn their own. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
