import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import type { Change, Freshness, Hint } from '../ports/freshness'

export interface FreshnessHarness extends AsyncDisposable {
  /** One for each process; all believe. */
  readonly processes: readonly Freshness[]
}

const CHANGES: readonly Change[] = [
  { kind: 'post', post: 311_296_512_000_123 as PostId },
  { kind: 'engagement', post: 1 as PostId, by: 2 as UserId },
  { kind: 'posts', author: 4 as UserId },
  { kind: 'created', post: 5 as PostId, author: 4 as UserId },
  { kind: 'lanes' },
  { kind: 'author', user: 3 as UserId },
  { kind: 'viewer', user: 9_007_199_254_740_991 as UserId },
  { kind: 'reactions', user: 9_007_199_254_740_991 as UserId },
]

/** What every `Freshness` promises without faults; the histories test faults. */
export function freshnessConformance(name: string, open: () => Promise<FreshnessHarness>): void {
  describe(name, () => {
    test('has heard, after a barrier, what was announced before, whole and in order', async () => {
      await using harness = await open()
      for (const writer of harness.processes) {
        const heard = harness.processes.map((process) => {
          const list: Change[] = []
          process.onChange((change) => list.push(change))
          return { process, list }
        })
        await writer.announce(CHANGES.slice(0, 1))
        await writer.announce(CHANGES.slice(1))
        for (const { process, list } of heard) {
          await process.barrier()
          expect(firstTold(list)).toEqual([...CHANGES])
        }
      }
    })

    test('tells every listener, and nothing where nothing changed', async () => {
      await using harness = await open()
      const [process] = harness.processes
      const heard: Change[][] = [[], []]
      for (const list of heard) process?.onChange((change) => list.push(change))
      await process?.announce([])
      await process?.barrier()
      expect(heard).toEqual([[], []])
      await process?.announce(CHANGES.slice(0, 2))
      await process?.barrier()
      for (const list of heard) expect(firstTold(list)).toEqual(CHANGES.slice(0, 2))
    })

    test('passes hints on, apart from changes', async () => {
      await using harness = await open()
      const [writer] = harness.processes
      const hints: Hint[] = [
        { kind: 'delivered', author: 7 as UserId },
        { kind: 'notified', user: 8 as UserId },
      ]
      const heard = harness.processes.map((process) => {
        const [changes, list]: [Change[], Hint[]] = [[], []]
        process.onChange((change) => changes.push(change))
        process.onHint((hint) => list.push(hint))
        return { process, changes, list }
      })
      await writer?.hint([])
      await writer?.hint(hints)
      await writer?.announce(CHANGES.slice(0, 1))
      for (const { process, changes, list } of heard) {
        await process.barrier()
        expect([firstTold(list), firstTold(changes)]).toEqual([hints, CHANGES.slice(0, 1)])
      }
    })

    test('keeps its belief while nothing is wrong', async () => {
      await using harness = await open()
      for (const process of harness.processes) {
        const belief = process.belief()
        expect(belief).not.toBeNull()
        await process.announce(CHANGES)
        await process.barrier()
        expect(process.belief()).toBe(belief)
      }
    })
  })
}

/** Each change once, where it was told first. */
function firstTold<Told extends Change | Hint>(changes: readonly Told[]): Told[] {
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()]
}
