import { expect, test } from 'bun:test'
import { createManualClock } from '../../testing/manual-clock'
import { post, postCacheConformance } from '../../testing/post-cache-conformance'
import { createMemoryPostCache } from './post-cache'

postCacheConformance(async () => ({
  cache: createMemoryPostCache({ clock: createManualClock() }, { maxEntries: 100 }),
  async [Symbol.asyncDispose]() {},
}))

test('evicts the entry that was used longest ago', async () => {
  const cache = createMemoryPostCache({ clock: createManualClock() }, { maxEntries: 2 })
  await cache.putMany([post(1), post(2)])
  await cache.getMany([post(1).id])
  await cache.putMany([post(3)])
  const found = await cache.getMany([post(1).id, post(2).id, post(3).id])
  expect([...found.keys()]).toEqual([post(1).id, post(3).id])
})

test('forgets entries after a day', async () => {
  const clock = createManualClock()
  const cache = createMemoryPostCache({ clock }, { maxEntries: 2 })
  await cache.putMany([post(1)])
  clock.advance(24 * 3600 * 1000 - 1)
  expect((await cache.getMany([post(1).id])).size).toBe(1)
  clock.advance(1)
  expect((await cache.getMany([post(1).id])).size).toBe(0)
})
