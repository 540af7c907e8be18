import { storeUnavailable } from '../errors/sns-error'
import type { FreshnessFence } from '../ports/freshness-fence'
import type { SimulatedProcess, SimulatedWorld } from './simulated-world'

/** How a process reaches the database: at once, late, or not at all. */
export type DatabaseLink = 'up' | 'slow' | 'down'

/** A request to the database takes effect at one moment between its call and its answer. */
export interface SimulatedDatabase {
  link: DatabaseLink
  ask<Result>(execute: () => Result | Promise<Result>): Promise<Result>
}

export function createSimulatedDatabase(
  world: SimulatedWorld,
  process: SimulatedProcess,
): SimulatedDatabase {
  const delay = (link: DatabaseLink) =>
    link === 'slow' ? world.between(100, 6_000) : world.between(0.2, 10)

  const database: SimulatedDatabase = {
    link: 'up',
    ask: (execute) =>
      new Promise((resolve, reject) => {
        const { link } = database
        const isDone = link !== 'down' || world.between(0, 1) < 0.5
        world.after(delay(link), () => {
          const result = isDone ? Promise.resolve(execute()) : null
          world.after(delay(link), () =>
            process.deliver(() => {
              if (link === 'down' || result === null) reject(storeUnavailable('mysql'))
              else resolve(result)
            }),
          )
        })
      }),
  }
  return database
}

/** The fence as one process reaches it. */
export function fenceBehind(
  { ask }: Pick<SimulatedDatabase, 'ask'>,
  fence: FreshnessFence,
): FreshnessFence {
  return {
    read: () => ask(fence.read),
    // One statement closes it, another reads what it is then.
    close: () => ask(fence.close).then(() => ask(fence.read)),
    forgetServer: (generation) => ask(() => fence.forgetServer(generation)),
    open: (server, generation) => ask(() => fence.open(server, generation)),
    report: (process, server) => ask(() => fence.report(process, server)),
    leave: (process) => ask(() => fence.leave(process)),
  }
}
