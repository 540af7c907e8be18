import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import type { TimelineLimits } from '../domain/timeline'
import type { RebuildToken, TimelineStore } from '../ports/timeline-store'
import type { CreateTimelineStoreHarness } from './timeline-store-harness'
import { timelineStoreProperty } from './timeline-store-property'

/** Small, so that the edges are near. */
export const testLimits: TimelineLimits = { cap: 8, slack: 3, ttlMs: 600_000, rebuildTtlMs: 15_000 }

const ann = (2 ** 52) as UserId
const bob = (2 ** 52 + 1) as UserId

/** What every `TimelineStore` promises. Each test gets an empty store. */
export function timelineStoreConformance(create: CreateTimelineStoreHarness): void {
  describe('TimelineStore', () => {
    test('has no timeline that nobody rebuilt, and push makes none', async () => {
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

    test('puts a pushed id in its place, once, whatever the order', async () => {
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

    test('keeps what is pushed while a rebuild reads', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({ state: 'absent' })
      for (const id of [60, 35, 50, 60]) await pushed(store, id, [ann])
      const done = await store.finishRebuild(ann, token, {
        ids: ids(50, 40, 30),
        complete: true,
        graphVersion: 2,
      })
      expect(done).toBe(true)
      expect(await whole(store, ann)).toEqual(ids(60, 50, 40, 35, 30))
    })

    test('drops what was pushed below the floor of what SQL gave', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      for (const id of [60, 35, 25]) await pushed(store, id, [ann])
      await store.finishRebuild(ann, token, { ids: ids(40, 30), complete: false, graphVersion: 2 })
      expect(await store.read(ann, { before: null, limit: 10 })).toMatchObject({
        ids: ids(60, 40, 35, 30),
        floor: 30,
      })
    })

    test('cuts a rebuild that outgrew the cap, and is then no longer complete', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      for (const id of [203, 202, 201]) await pushed(store, id, [ann])
      await store.finishRebuild(ann, token, {
        ids: ids(...descending(106, 101)),
        complete: true,
        graphVersion: 2,
      })
      expect(await store.read(ann, { before: null, limit: 20 })).toMatchObject({
        ids: ids(203, 202, 201, ...descending(106, 102)),
        floor: 102,
      })
    })

    test('is complete where the merge just fills the cap', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      for (const id of [202, 201]) await pushed(store, id, [ann])
      await store.finishRebuild(ann, token, {
        ids: ids(201, ...descending(106, 101)),
        complete: true,
        graphVersion: 2,
      })
      expect(await store.read(ann, { before: null, limit: 20 })).toMatchObject({
        ids: ids(202, 201, ...descending(106, 101)),
        floor: 0,
      })
    })

    test('stays right where more was pushed during a rebuild than a window holds', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      for (let id = 201; id <= 230; id += 1) await pushed(store, id, [ann])
      await store.finishRebuild(ann, token, { ids: ids(205, 100), complete: true, graphVersion: 2 })
      const slice = await store.read(ann, { before: null, limit: 50 })
      if (slice.state !== 'ready') throw new Error('no window')
      expect(slice.floor).toBeGreaterThan(205)
      expect(slice.ids).toEqual(descending(230, slice.floor))
    })

    test('lets one rebuild run at a time', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      expect(await store.beginRebuild(ann)).toBeNull()
      expect(await store.beginRebuild(bob)).not.toBeNull()
      await pushed(store, 9, [ann])
      expect(await finish(store, ann, token, [])).toBe(true)
      expect(await whole(store, ann)).toEqual(ids(9))
    })

    test('replaces a ready window', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      await rebuild(store, ann, [30, 20], true, 1)
      const token = await begun(store, ann)
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({ state: 'absent' })
      await finish(store, ann, token, [20], 2)
      expect(await store.read(ann, { before: null, limit: 10 })).toMatchObject({
        ids: ids(20),
        graphVersion: 2,
      })
    })

    test('installs nothing for a token that was used, made up or of another user', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      expect(await finish(store, bob, token, [1])).toBe(false)
      expect(await finish(store, ann, 'made-up' as RebuildToken, [1])).toBe(false)
      expect(await finish(store, ann, token, [2])).toBe(true)
      expect(await finish(store, ann, token, [3])).toBe(false)
      expect(await whole(store, ann)).toEqual(ids(2))
    })

    test('installs nothing after a drop, even under a new rebuild', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const first = await begun(store, ann)
      await store.drop(ann)
      expect(await finish(store, ann, first, [1])).toBe(false)
      const second = await begun(store, ann)
      expect(await finish(store, ann, first, [1])).toBe(false)
      expect(await finish(store, ann, second, [2])).toBe(true)
      expect(await whole(store, ann)).toEqual(ids(2))
      await store.drop(ann)
      await store.drop(ann)
      expect(await store.read(ann, { before: null, limit: 10 })).toEqual({ state: 'absent' })
    })

    test('forgets a rebuild that was abandoned, pushes notwithstanding', async () => {
      await using harness = await create(testLimits)
      const { store } = harness
      const token = await begun(store, ann)
      await harness.elapse(ann, testLimits.rebuildTtlMs / 2)
      expect(await pushed(store, 5, [ann])).toEqual([1, 0, 0, 0])
      expect(await store.beginRebuild(ann)).toBeNull()
      await harness.elapse(ann, testLimits.rebuildTtlMs / 2)
      expect(await finish(store, ann, token, [1])).toBe(false)
      expect(await store.beginRebuild(ann)).not.toBeNull()
    })

    test('forgets a window that nobody reads, pushes notwithstanding', async () => {
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

    timelineStoreProperty(create)
  })
}

function ids(...values: number[]): PostId[] {
  return values as PostId[]
}

function descending(from: number, to: number): PostId[] {
  return ids(...Array.from({ length: from - to + 1 }, (_, index) => from - index))
}

async function pushed(store: TimelineStore, id: number, users: readonly UserId[]) {
  const result = await store.push(id as PostId, users)
  return [result.delivered, result.absent, result.duplicate, result.belowFloor]
}

async function begun(store: TimelineStore, user: UserId): Promise<RebuildToken> {
  const token = await store.beginRebuild(user)
  if (token === null) throw new Error('another rebuild is under way')
  return token
}

function finish(
  store: TimelineStore,
  user: UserId,
  token: RebuildToken,
  values: number[],
  graphVersion = 1,
): Promise<boolean> {
  return store.finishRebuild(user, token, { ids: ids(...values), complete: true, graphVersion })
}

async function rebuild(
  store: TimelineStore,
  user: UserId,
  values: number[],
  complete: boolean,
  graphVersion = 1,
): Promise<boolean> {
  const token = await begun(store, user)
  return store.finishRebuild(user, token, { ids: ids(...values), complete, graphVersion })
}

async function whole(store: TimelineStore, user: UserId): Promise<readonly PostId[]> {
  const slice = await store.read(user, { before: null, limit: 1_000 })
  if (slice.state !== 'ready') throw new Error('no window')
  return slice.ids
}
