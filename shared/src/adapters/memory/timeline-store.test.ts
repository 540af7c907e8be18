import { expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { createManualClock } from '../../testing/manual-clock'
import { timelineStoreConformance } from '../../testing/timeline-store-conformance'
import { testLimits } from '../../testing/timeline-store-harness'
import { createMemoryTimelineStore } from './timeline-store'

timelineStoreConformance(async (limits) => {
  const clock = createManualClock()
  return {
    store: createMemoryTimelineStore({ clock }, { limits }),
    elapse: async (_user, ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {},
  }
})

test('forgets the timeline that was read longest ago when there are too many', async () => {
  const store = createMemoryTimelineStore(
    { clock: createManualClock() },
    { limits: testLimits, maxTimelines: 2 },
  )
  const [ann, bob, cat] = [1, 2, 3] as [UserId, UserId, UserId]
  const rebuild = async (user: UserId) => {
    const token = await store.beginRebuild(user)
    await store.finishRebuild(user, token!, { ids: [], complete: true, graphVersion: 1 })
  }
  const stateOf = async (user: UserId) =>
    (await store.read(user, { before: 9 as PostId, limit: 1 })).state
  await rebuild(ann)
  await rebuild(bob)
  await stateOf(ann)
  // What is written to it makes no timeline one that is read.
  await store.push(5 as PostId, [bob])
  await rebuild(cat)
  expect(await Promise.all([ann, bob, cat].map(stateOf))).toEqual(['ready', 'absent', 'ready'])
})
