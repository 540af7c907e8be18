/** The source of time: milliseconds since the Unix epoch. Tests set their own. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
