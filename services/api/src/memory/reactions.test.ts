import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Change } from '@sns/shared/ports/freshness'
import { createReactions } from './reactions'

const [ann, bob] = [1, 2] as UserId[] as [UserId, UserId]

/** Ann, who likes posts, newest first, in a database that counts what it is asked. */
function openWorld() {
  const freshness = createMemoryFreshness()
  const world = { likes: [7] as PostId[], reads: 0, oldAsked: [] as PostId[] }
  const reactions = createReactions(
    {
      freshness,
      posts: {
        async likedIds(_, { limit }) {
          world.reads += 1
          return world.likes.slice(0, limit)
        },
        async liked(_, ids) {
          world.oldAsked.push(...ids)
          return ids.filter((id) => world.likes.includes(id))
        },
        published: async () => [],
      },
    },
    { maxBytes: 1_000_000 },
  )
  return Object.assign(world, {
    announce: (change: Change) => freshness.announce([change]),
    likes7: async () => (await reactions.among(ann, [7 as PostId])).has(7 as PostId),
    among: async (...ids: number[]) => {
      const liked = await reactions.among(ann, ids as PostId[])
      return ids.filter((id) => liked.has(id as PostId))
    },
  })
}

test.each<Change['kind']>(['reactions', 'viewer'])(
  'likes are read again once a change of kind %p is announced of the viewer, and of nobody else',
  async (kind) => {
    const world = openWorld()
    expect(await world.likes7()).toBe(true)
    world.likes = []
    await world.announce({ kind, user: bob } as Change)
    await world.announce({ kind: 'engagement', post: 7 as PostId, by: bob })
    expect(await world.likes7()).toBe(true)
    expect(world.reads).toBe(1)
    await world.announce({ kind, user: ann } as Change)
    expect(await world.likes7()).toBe(false)
    expect(world.reads).toBe(2)
  },
)

test('the newest thousand are kept, and of older ones it is asked', async () => {
  const world = openWorld()
  const newest = 5_000
  world.likes = Array.from({ length: 1_001 }, (_, at) => (newest - at) as PostId)
  const floor = newest - 999
  expect(await world.among(newest, floor, floor - 1, floor - 2)).toEqual([newest, floor, floor - 1])
  expect(world.oldAsked).toEqual([floor - 1, floor - 2] as PostId[])
  world.likes = world.likes.slice(0, 999)
  await world.announce({ kind: 'reactions', user: ann })
  expect(await world.among(newest, floor, floor - 1)).toEqual([newest])
  expect(world.oldAsked).toHaveLength(2)
})
