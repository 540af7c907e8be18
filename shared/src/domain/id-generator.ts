import type { Clock } from './clock'
import { firstIdAt, type Id } from './id'

/** Makes ids that grow strictly within this process. */
export interface IdGenerator {
  next<Kind extends string>(): Id<Kind>
}

/**
 * `random` gives each millisecond's first counter (below 1,024), so that writers in other processes
 * rarely meet; where they do, the primary key refuses the second and its writer takes the next id.
 */
export function createIdGenerator(clock: Clock, random: () => number = Math.random): IdGenerator {
  let last = 0
  return {
    next<Kind extends string>() {
      const fresh = firstIdAt(clock.now()) + Math.floor(random() * 1024)
      last = fresh > last ? fresh : last + 1
      return last as Id<Kind>
    },
  }
}
