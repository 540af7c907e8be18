import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { createRelations } from './relations'

const [ann, bob, eve] = [1, 2, 3] as UserId[] as [UserId, UserId, UserId]

/** Ann, who follows bob and is blocked by eve, in a database that can be slow. */
function openWorld() {
  const freshness = createMemoryFreshness()
  const world = {
    version: 0,
    authors: [ann, bob],
    likes: [7] as PostId[],
    hidden: [eve],
    reads: 0,
    /** Reads go on when it resolves. */
    held: Promise.resolve(),
  }
  const read = <Value>(value: Value): Promise<Value> => {
    world.reads += 1
    return world.held.then(() => value)
  }
  const relations = createRelations(
    {
      freshness,
      users: { findAccount: async () => null },
      posts: {
        feedAuthors: () => read(world.authors),
        likedIds: async (_, { limit }) => world.likes.slice(0, limit),
        published: async () => [],
      },
      graph: { blockedEitherWay: () => read(world.hidden) },
      viewers: { held: () => null },
    },
    { maxBytes: 1_000_000 },
  )
  const viewer = () => ({ id: ann, graphVersion: world.version })
  return Object.assign(world, {
    freshness,
    announce: () => freshness.announce([{ kind: 'viewer', user: ann }]),
    view: () => relations.feedView(viewer()),
    hiddenNow: () => relations.hiddenFrom(viewer()),
  })
}

test('what a feed is made of is kept until a change is announced or the account has another version', async () => {
  const world = openWorld()
  expect([...(await world.view()).authors]).toEqual([ann, bob])
  await world.view()
  expect(world.reads).toBe(1)
  // A writer that died raised it and announced nothing.
  world.version = 1
  world.authors = [ann]
  expect([...(await world.view()).authors]).toEqual([ann])
  world.authors = [ann, eve]
  await world.announce()
  expect([...(await world.view()).authors]).toEqual([ann, eve])
  expect(world.reads).toBe(3)
})

test('so is whom a block hides', async () => {
  const world = openWorld()
  expect([...(await world.hiddenNow())]).toEqual([eve])
  world.hidden = []
  world.version = 1
  expect([...(await world.hiddenNow())]).toEqual([])
  world.hidden = [bob]
  await world.announce()
  expect([...(await world.hiddenNow())]).toEqual([bob])
  await world.hiddenNow()
  expect(world.reads).toBe(3)
})

test('a read under one version serves nobody whose account has another by then', async () => {
  const world = openWorld()
  const slow = Promise.withResolvers<void>()
  world.held = slow.promise
  const first = world.view()
  await null
  world.version = 1
  world.authors = [ann]
  const second = world.view()
  slow.resolve()
  expect([...(await first).authors]).toEqual([ann, bob])
  expect([...(await second).authors]).toEqual([ann])
  expect([...(await world.view()).authors]).toEqual([ann])
  expect(world.reads).toBe(2)
})

test('the newest thousand likes are kept, and from where on is said', async () => {
  const world = openWorld()
  const newest = 5_000
  world.likes = Array.from({ length: 1_001 }, (_, at) => (newest - at) as PostId)
  const { likes, likesFloor } = await world.view()
  expect(likes.size).toBe(1_000)
  expect(likesFloor).toBe(newest - 999)
  world.likes = world.likes.slice(0, 999)
  await world.announce()
  expect((await world.view()).likesFloor).toBe(0)
})
