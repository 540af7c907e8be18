import { describe, expect, test } from 'bun:test'
import type { UserId } from '../domain/id'
import type { LaneStore } from '../ports/lane-store'

export interface LaneStoreHarness extends AsyncDisposable {
  readonly lanes: LaneStore
}

const [ann, bob, eve] = [1, 2, 3] as UserId[] as [UserId, UserId, UserId]

/** What every `LaneStore` must do. */
export function laneStoreConformance(open: () => Promise<LaneStoreHarness>): void {
  describe('LaneStore', () => {
    test('has everybody in push at first', async () => {
      await using harness = await open()
      expect(await harness.lanes.lanesOf([ann, bob])).toEqual(new Map())
      expect(await harness.lanes.lanesOf([])).toEqual(new Map())
      expect(await harness.lanes.mergedAuthors()).toEqual([])
    })

    test('moves an author to pull and back, by way of both', async () => {
      await using harness = await open()
      const { lanes } = harness
      const there = await lanes.begin(ann)
      expect(await lanes.lanesOf([ann, bob])).toEqual(new Map([[ann, 'both']]))
      expect(await lanes.mergedAuthors()).toEqual([ann])
      expect(await lanes.finish(ann, there, 'pull')).toBe(true)
      expect(await lanes.lanesOf([ann, bob])).toEqual(new Map([[ann, 'pull']]))
      expect(await lanes.mergedAuthors()).toEqual([ann])
      const back = await lanes.begin(ann)
      expect(await lanes.lanesOf([ann])).toEqual(new Map([[ann, 'both']]))
      expect(await lanes.finish(ann, back, 'push')).toBe(true)
      expect(await lanes.mergedAuthors()).toEqual([])
    })

    test('lets the last crossing that began decide', async () => {
      await using harness = await open()
      const { lanes } = harness
      const first = await lanes.begin(ann)
      const second = await lanes.begin(ann)
      expect(await lanes.finish(ann, first, 'pull')).toBe(false)
      expect(await lanes.finish(ann, first, 'push')).toBe(false)
      expect(await lanes.lanesOf([ann])).toEqual(new Map([[ann, 'both']]))
      expect(await lanes.finish(ann, second, 'push')).toBe(true)
      // It is over, and so is every other that is not begun anew.
      expect(await lanes.finish(ann, second, 'pull')).toBe(false)
      expect(await lanes.mergedAuthors()).toEqual([])
    })

    test('moves each author alone', async () => {
      await using harness = await open()
      const { lanes } = harness
      const [a, b] = [await lanes.begin(ann), await lanes.begin(bob)]
      expect(await lanes.finish(ann, b, 'push')).toBe(false)
      await lanes.finish(ann, a, 'pull')
      expect(await lanes.lanesOf([eve, ann, bob])).toEqual(
        new Map([
          [ann, 'pull'],
          [bob, 'both'],
        ]),
      )
    })
  })
}
