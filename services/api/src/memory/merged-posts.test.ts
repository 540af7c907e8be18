import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { createMergedPosts } from './merged-posts'

const [ann, bob] = [1, 2] as UserId[] as [UserId, UserId]

/** Over lists that count how often they are read. */
function createWorld() {
  const freshness = createMemoryFreshness()
  const ids = new Map<UserId, PostId[]>([
    [ann, [9, 8, 7] as PostId[]],
    [bob, [5] as PostId[]],
  ])
  const world = { authors: [ann, bob], reads: 0 }
  const merged = createMergedPosts(
    {
      freshness,
      lanes: { mergedAuthors: async () => world.authors, lanesOf: async () => new Map() },
      posts: {
        async newestIds(author, limit) {
          world.reads += 1
          return (ids.get(author) ?? []).slice(0, limit)
        },
      },
    },
    { maxBytes: 100_000, kept: 2 },
  )
  return Object.assign(world, { freshness, ids, merged })
}

test('a list is complete down to its floor, and says where that is', async () => {
  const { merged } = createWorld()
  expect(await merged.of([ann, bob], () => true)).toEqual([
    { ids: [9, 8] as PostId[], floor: 8 },
    { ids: [5] as PostId[], floor: 0 },
  ])
})

test('lists are those of authors whom the viewer sees, and read once', async () => {
  const world = createWorld()
  for (let n = 0; n < 3; n += 1) {
    expect(await world.merged.of([ann, bob], (author) => author === bob)).toHaveLength(1)
  }
  expect(world.reads).toBe(1)
})

test('a new post is in its author’s list after it was announced', async () => {
  const world = createWorld()
  await world.merged.of([ann], () => true)
  world.ids.set(ann, [10, 9] as PostId[])
  await world.freshness.announce([{ kind: 'posts', author: ann }])
  expect(await world.merged.of([ann], () => true)).toEqual([{ ids: [10, 9] as PostId[], floor: 9 }])
})

test('the authors are unknown until they are learnt, and again after a crossing', async () => {
  const world = createWorld()
  expect(world.merged.authors()).toBeNull()
  await world.merged.learnAuthors()
  expect(world.merged.authors()).toEqual([ann, bob])
  world.authors = [bob]
  await world.freshness.announce([{ kind: 'lanes' }])
  expect(world.merged.authors()).toBeNull()
  await world.merged.learnAuthors()
  expect(world.merged.authors()).toEqual([bob])
})

test('five hundred who read after a post of an author share one query', async () => {
  const world = createWorld()
  await world.merged.of([ann], () => true)
  world.ids.set(ann, [10, 9] as PostId[])
  await world.freshness.announce([{ kind: 'posts', author: ann }])
  world.reads = 0
  const readers = Array.from({ length: 500 }, () => world.merged.of([ann], () => true))
  for (const lists of await Promise.all(readers))
    expect(lists).toEqual([{ ids: [10, 9] as PostId[], floor: 9 }])
  expect(world.reads).toBe(1)
})
