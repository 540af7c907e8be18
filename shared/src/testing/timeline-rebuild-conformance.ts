import { expect, test } from 'bun:test'
import type { RebuildToken } from '../ports/timeline-store'
import {
  ann,
  begun,
  bob,
  type CreateTimelineStoreHarness,
  descending,
  finish,
  ids,
  pushed,
  rebuild,
  testLimits,
  whole,
} from './timeline-store-harness'

/** What every `TimelineStore` promises about rebuilds that run beside pushes and other rebuilds. */
export function timelineRebuildConformance(create: CreateTimelineStoreHarness): void {
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

  test('is not complete where pushes were trimmed during the rebuild, though SQL had read all', async () => {
    await using harness = await create(testLimits)
    const { store } = harness
    const token = await begun(store, ann)
    for (let id = 201; id <= 212; id += 1) await pushed(store, id, [ann])
    await store.finishRebuild(ann, token, { ids: [], complete: true, graphVersion: 2 })
    expect(await store.read(ann, { before: null, limit: 50 })).toMatchObject({
      ids: descending(212, 205),
      floor: 205,
    })
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
}
