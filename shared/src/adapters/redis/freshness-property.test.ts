import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  APIS,
  createFreshnessHistory,
  FAULT_MAX_MS,
  PLACES,
  SERVERS,
  type Step,
} from '../../testing/freshness-history'

const api = fc.nat(APIS - 1)
const place = fc.nat(PLACES - 1)
const server = fc.nat(SERVERS - 1)
/** Mostly little happens between two steps, sometimes a poll, a lease or more. */
const ms = fc.oneof(
  { weight: 8, arbitrary: fc.nat(20) },
  { weight: 3, arbitrary: fc.nat(700) },
  { weight: 1, arbitrary: fc.nat(6_000) },
)
const forMs = fc.oneof(fc.nat(300), fc.nat(4_000), fc.nat(FAULT_MAX_MS))

function step<Fields extends object>(
  name: Step['do'],
  weight: number,
  fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
) {
  return { weight, arbitrary: fc.record({ do: fc.constant(name), ms, ...fields }) }
}

const steps = fc.array(
  fc.oneof(
    step('write', 30, { place: api }),
    step('writeByHand', 1, {}),
    step('cut', 3, { place, isSilent: fc.boolean() }),
    step('route', 6, { place, to: fc.option(server, { freq: 2 }), forMs }),
    step('failOver', 2, { to: server }),
    step('promote', 1, { server }),
    step('restart', 1, { server }),
    step('database', 8, {
      place,
      of: fc.constantFrom('rows', 'fence', 'fence'),
      link: fc.constantFrom('slow', 'down'),
      forMs,
    }),
    step('turnDatabaseClock', 1, {}),
    step('pause', 4, { place, forMs }),
    step('crash', 1, { place }),
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
) as fc.Arbitrary<Step[]>

/** `FRESHNESS_RUNS=5000 bun test …` for a long one. */
const RUNS = Number(process.env.FRESHNESS_RUNS ?? 300)

test('a read sees every write that was answered before it, whatever happens', async () => {
  let believed = 0
  let windows = 0
  await fc.assert(
    fc.asyncProperty(fc.integer(), steps, async (seed, taken) => {
      const history = createFreshnessHistory(seed)
      await history.begin()
      for (const each of taken) await history.take(each)
      await history.settle()
      expect(history.staleReads).toEqual([])
      // Whatever happened, all is well again once its causes are gone.
      expect(history.unbelieving()).toEqual([])
      expect(history.unanswered()).toBe(0)
      believed += history.readsFromMemory
      windows += history.readsFromWindows
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  // A history in which nobody believes proves nothing.
  expect(believed).toBeGreaterThan(RUNS)
  expect(windows).toBeGreaterThan(RUNS)
}, 3_600_000)
