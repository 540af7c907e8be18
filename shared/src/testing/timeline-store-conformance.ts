import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import { timelineRebuildConformance } from './timeline-rebuild-conformance'
import {
  ann,
  bob,
  type CreateTimelineStoreHarness,
  descending,
  ids,
  pushed,
  rebuild,
  testLimits,
  whole,
} from './timeline-store-harness'
import { timelineStoreProperty } from './timeline-store-property'

/** What every `TimelineStore` promises. Each test gets an empty store. */
export function timelineStoreConformance(create: CreateTimelineStoreHarness): void {
  describe('TimelineStore', () => {
    test('has no timeline before a rebuild, and push creates none', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      expect(await pushed(store, 1, [ann, bob])).toEqual([0, 2, 0, 0])
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({ state: 'absent' })
    })

    test('reads what a rebuild installed, by pages', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      expect(await rebuild(store, ann, [50, 40, 30, 20, 10], true, 7)).toBe(true)
      const read = async (before: number | null, limit: number) =>
        store.read(ann, { before: before as PostId | null, limit })
      expect(await read(null, 10)).toEqual({
        state: 'ready',
        ids: ids(50, 40, 30, 20, 10),
        floor: 0,
        graphVersion: 7,
      })
      expect(await read(null, 2)).toMatchObject({ ids: ids(50, 40) })
      expect(await read(40, 2)).toMatchObject({ ids: ids(30, 20) })
      expect(await read(45, 1)).toMatchObject({ ids: ids(40) })
      expect(await read(20, 9)).toMatchObject({ ids: ids(10) })
      expect(await read(10, 9)).toMatchObject({ state: 'ready', ids: [] })
      expect(await read(1, 9)).toMatchObject({ state: 'ready', ids: [] })
      expect(await read(99, 1)).toMatchObject({ ids: ids(50) })
    })

    test('keeps an empty timeline of someone who follows nobody', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [], true, 3)
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({
        state: 'ready',
        ids: [],
        floor: 0,
        graphVersion: 3,
      })
      expect(await pushed(store, 5, [ann])).toEqual([1, 0, 0, 0])
      expect(await whole(store, ann)).toEqual(ids(5))
    })

    test('puts a pushed id in its place, once, for any order of pushes', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [30, 20], true)
      expect(await pushed(store, 40, [ann])).toEqual([1, 0, 0, 0])
      expect(await pushed(store, 40, [ann])).toEqual([0, 0, 1, 0])
      expect(await pushed(store, 25, [ann])).toEqual([1, 0, 0, 0])
      expect(await pushed(store, 25, [ann])).toEqual([0, 0, 1, 0])
      expect(await pushed(store, 10, [ann])).toEqual([1, 0, 0, 0])
      expect(await pushed(store, 10, [ann])).toEqual([0, 0, 1, 0])
      expect(await pushed(store, 40, [ann])).toEqual([0, 0, 1, 0])
      expect(await whole(store, ann)).toEqual(ids(40, 30, 25, 20, 10))
    })

    test('leaves to SQL what is below the floor of a window that is not complete', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [30, 20], false)
      expect(await pushed(store, 19, [ann])).toEqual([0, 0, 0, 1])
      expect(await pushed(store, 20, [ann])).toEqual([0, 0, 1, 0])
      expect(await pushed(store, 21, [ann])).toEqual([1, 0, 0, 0])
      expect(await store.read(ann, { before: null, limit: 10 })).toMatchObject({
        ids: ids(30, 21, 20),
        floor: 20,
      })
    })

    test('counts each user of one push on its own', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const [cat, dan, eve] = [3, 4, 5] as UserId[]
      await rebuild(store, ann, [10], true)
      await rebuild(store, bob, [20], true)
      await rebuild(store, cat!, [30], false)
      await store.beginRebuild(eve!)
      expect(await pushed(store, 20, [ann, bob, cat!, dan!, eve!])).toEqual([2, 1, 1, 1])
      expect(await pushed(store, 21, [])).toEqual([0, 0, 0, 0])
    })

    test('fans out to more timelines than one call takes', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const users = Array.from({ length: 1_203 }, (_, index) => (index + 1) as UserId)
      const ready = users.filter((user) => user % 3 === 0)
      await Promise.all(ready.map((user) => rebuild(store, user, [10], true)))
      expect(await pushed(store, 11, users)).toEqual([401, 802, 0, 0])
      expect(await whole(store, ready.at(-1)!)).toEqual(ids(11, 10))
    })

    test('outgrows the cap by the slack, then is trimmed and its floor raised', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [], true)
      for (let id = 101; id <= 111; id += 1) await pushed(store, id, [ann])
      expect(await store.read(ann, { before: null, limit: 20 })).toMatchObject({
        ids: descending(111, 101),
        floor: 0,
      })
      await pushed(store, 112, [ann])
      expect(await store.read(ann, { before: null, limit: 20 })).toMatchObject({
        ids: descending(112, 105),
        floor: 105,
      })
      expect(await pushed(store, 104, [ann])).toEqual([0, 0, 0, 1])
      expect(await pushed(store, 105, [ann])).toEqual([0, 0, 1, 0])
    })

    test('is trimmed right by a late id too', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [], true)
      for (let id = 101; id <= 111; id += 1) await pushed(store, id, [ann])
      await pushed(store, 50, [ann])
      expect(await store.read(ann, { before: null, limit: 20 })).toMatchObject({
        ids: descending(111, 104),
        floor: 104,
      })
    })

    test('drops a window that is not read, even if ids are pushed', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [1], true)
      await harness.elapse(ann, testLimits.ttlMs / 2)
      expect(await whole(store, ann)).toEqual(ids(1))
      await harness.elapse(ann, testLimits.ttlMs * 0.9)
      expect(await pushed(store, 2, [ann])).toEqual([1, 0, 0, 0])
      await harness.elapse(ann, testLimits.ttlMs * 0.2)
      expect(await pushed(store, 3, [ann])).toEqual([0, 1, 0, 0])
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({ state: 'absent' })
    })

    test('compares ids as numbers, exact up to the largest', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const top = Number.MAX_SAFE_INTEGER
      await rebuild(store, ann, [top - 2, 999], true)
      await pushed(store, 1_000, [ann])
      await pushed(store, top, [ann])
      await pushed(store, top - 1, [ann])
      expect(await pushed(store, top - 1, [ann])).toEqual([0, 0, 1, 0])
      expect(await whole(store, ann)).toEqual(ids(top, top - 1, top - 2, 1_000, 999))
    })

    timelineRebuildConformance(create)
    timelineStoreProperty(create)
  })
}
