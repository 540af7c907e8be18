import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { UserId } from '@sns/shared/domain/id'
import { createRelations } from './relations'

const [ann, bob, eve] = [1, 2, 3] as UserId[] as [UserId, UserId, UserId]

/** Ann, who follows bob and is blocked by eve, in a database that can be slow. */
function openWorld() {
  const freshness = createMemoryFreshness()
  const world = {
    version: 0,
    authors: [ann, bob],
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
      posts: { feedAuthors: () => read(world.authors) },
      graph: { blockedEitherWay: () => read(world.hidden) },
      viewers: { held: () => null },
    },
    { maxBytes: 1_000_000 },
  )
  const viewer = () => ({ id: ann, graphVersion: world.version })
  return Object.assign(world, {
    freshness,
    announce: () => freshness.announce([{ kind: 'viewer', user: ann }]),
    authorsNow: () => relations.feedAuthors(viewer()),
    hiddenNow: () => relations.hiddenFrom(viewer()),
  })
}

test('whose posts a feed shows is kept until a change is announced or the account has another version', async () => {
  const world = openWorld()
  expect([...(await world.authorsNow())]).toEqual([ann, bob])
  await world.authorsNow()
  expect(world.reads).toBe(1)
  // A writer that died raised it and announced nothing.
  world.version = 1
  world.authors = [ann]
  expect([...(await world.authorsNow())]).toEqual([ann])
  world.authors = [ann, eve]
  await world.announce()
  expect([...(await world.authorsNow())]).toEqual([ann, eve])
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
  const first = world.authorsNow()
  await null
  world.version = 1
  world.authors = [ann]
  const second = world.authorsNow()
  slow.resolve()
  expect([...(await first)]).toEqual([ann, bob])
  expect([...(await second)]).toEqual([ann])
  expect([...(await world.authorsNow())]).toEqual([ann])
  expect(world.reads).toBe(2)
})

test('a like leaves them as they are', async () => {
  const world = openWorld()
  await world.authorsNow()
  await world.hiddenNow()
  await world.freshness.announce([{ kind: 'reactions', user: ann }])
  await world.authorsNow()
  await world.hiddenNow()
  expect(world.reads).toBe(2)
})
