import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PostBody } from '@sns/shared/domain/post'
import type { Account } from '@sns/shared/domain/user'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createPostPieces, postOf } from './post-pieces'

const [ann, bob] = [1, 2] as UserId[] as [UserId, UserId]
const POST = 7 as PostId

/** Pieces over one post, whose reads are counted. */
function openWorld() {
  const freshness = createMemoryFreshness()
  const account: Account = {
    id: ann,
    username: 'ann',
    displayName: 'Ann',
    createdAt: 0,
    graphVersion: 0,
  }
  const world = {
    text: 'written',
    name: 'Ann',
    reads: 0,
    account: account as Account | null,
  }
  const body = (text = world.text): PostBody => ({
    id: POST,
    authorId: ann,
    text,
    version: 1,
    createdAt: 0,
    editedAt: null,
  })
  const pieces = createPostPieces(
    {
      freshness,
      viewers: { held: () => world.account },
      clock: createManualClock(),
      metrics: createMetrics(),
      posts: {
        async published() {
          world.reads += 1
          const author = { id: ann, username: 'ann', displayName: world.name }
          return [{ body: body(), author, counts: { likes: 0, comments: 0 } }]
        },
      },
    },
    { maxBytes: 100_000 },
  )
  /** Writes the post as the api does; `meanwhile` happens between its commit and the answer of the database. */
  async function write({ meanwhile = async () => {}, created = true } = {}) {
    const committed = body()
    await pieces.written({ id: POST, authorId: ann }, async () => {
      await meanwhile()
      return { body: committed, created }
    })
    await freshness.announce([{ kind: 'created', post: POST, author: ann }])
  }
  async function seen() {
    const [piece] = await pieces.of(bob, [POST])
    const { text, author } = postOf(piece!)
    return [text, author.displayName]
  }
  return Object.assign(world, { freshness, write, seen })
}

test('a post that was written here is shown without a read, and as a read would show it', async () => {
  const world = openWorld()
  await world.write()
  expect(await world.seen()).toEqual(['written', 'Ann'])
  expect(world.reads).toBe(0)
})

test.each([
  ['edited', { kind: 'post', post: POST }],
  ['renamed', { kind: 'author', user: ann }],
  ['liked', { kind: 'engagement', post: POST, by: bob }],
] as const)('one that is heard to be %s while it is written is read', async (_, change) => {
  const world = openWorld()
  await world.write({
    async meanwhile() {
      world.text = 'edited'
      world.name = 'Anna'
      await world.freshness.announce([change])
    },
  })
  expect(await world.seen()).toEqual(['edited', 'Anna'])
})

test('one that was there already, or whose author is not known, is read', async () => {
  const world = openWorld()
  await world.write({ created: false })
  world.text = 'edited since the first request'
  expect(await world.seen()).toEqual(['edited since the first request', 'Ann'])

  const other = openWorld()
  other.account = null
  await other.write()
  await other.seen()
  expect(other.reads).toBe(1)
})

test('an id that another process used again is read', async () => {
  const world = openWorld()
  await world.write()
  world.text = 'by another'
  await world.freshness.announce([{ kind: 'created', post: POST, author: bob }])
  expect(await world.seen()).toEqual(['by another', 'Ann'])
})

/** So many that every bound on what is remembered beside pieces is passed. */
const MANY = 10_001

/** Pieces over many posts, each by an author of its own, in a database whose reads a test can hold. */
function openCrowd() {
  const freshness = createMemoryFreshness()
  const clock = createManualClock()
  const world = {
    likes: new Map<PostId, number>(),
    names: new Map<UserId, string>(),
    read: [] as PostId[],
    /** Reads see what is there when they begin, and are answered when it resolves. */
    held: Promise.resolve(),
  }
  const pieces = createPostPieces(
    {
      freshness,
      viewers: { held: () => null },
      clock,
      metrics: createMetrics(),
      posts: {
        async published(ids) {
          world.read.push(...ids)
          const found = ids.map((id) => ({
            body: {
              id,
              authorId: Number(id) as UserId,
              text: 'x',
              version: 1,
              createdAt: 0,
              editedAt: null,
            },
            author: {
              id: Number(id) as UserId,
              username: `u${id}`,
              displayName: world.names.get(Number(id) as UserId) ?? 'before',
            },
            counts: { likes: world.likes.get(id) ?? 0, comments: 0 },
          }))
          await world.held
          return found
        },
      },
    },
    { maxBytes: 64 * 2 ** 20 },
  )
  const ids = Array.from({ length: MANY }, (_, at) => (at + 1) as PostId)
  return Object.assign(world, {
    ids,
    clock,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      world.held = promise
      return () => {
        world.held = Promise.resolve()
        resolve()
      }
    },
    async like(post: PostId, by: UserId) {
      world.likes.set(post, (world.likes.get(post) ?? 0) + 1)
      await freshness.announce([{ kind: 'engagement', post, by }])
    },
    async rename(user: UserId) {
      world.names.set(user, 'after')
      await freshness.announce([{ kind: 'author', user }])
    },
    async likesSeen(viewer: UserId, posts: readonly PostId[]) {
      const found = await pieces.of(viewer, posts)
      return found.map((piece) => postOf(piece!).counts.likes)
    },
    async namesSeen(posts: readonly PostId[]) {
      const found = await pieces.of(bob, posts)
      return found.map((piece) => postOf(piece!).author.displayName)
    },
  })
}

const eve = 3 as UserId
const [FIRST] = [1] as PostId[] as [PostId]

test('a like during a read is seen at once by whoever likes, and by others within a second', async () => {
  const world = openCrowd()
  const { clock } = world
  const release = world.hold()
  const early = world.likesSeen(eve, [FIRST])
  await null
  await world.like(FIRST, bob)
  // Another may share the read that began before the like; who likes may not.
  const shared = world.likesSeen(eve, [FIRST])
  const own = world.likesSeen(bob, [FIRST])
  release()
  expect(await Promise.all([early, shared, own])).toEqual([[0], [0], [1]])
  expect(world.read).toEqual([FIRST, FIRST])
  expect(await world.likesSeen(bob, [FIRST])).toEqual([1])
  clock.advance(1_000)
  expect(await world.likesSeen(eve, [FIRST])).toEqual([1])
})

test('a like during the only read of a post is not forgotten', async () => {
  const world = openCrowd()
  const release = world.hold()
  const early = world.likesSeen(eve, [FIRST])
  await null
  await world.like(FIRST, bob)
  release()
  expect(await early).toEqual([0])
  // What is kept trails by a second at most, and then is read once.
  expect(await world.likesSeen(eve, [FIRST])).toEqual([0])
  world.clock.advance(1_000)
  expect(await world.likesSeen(eve, [FIRST])).toEqual([1])
  world.clock.advance(1_000)
  expect(await world.likesSeen(bob, [FIRST])).toEqual([1])
  expect(world.read).toEqual([FIRST, FIRST])
})

test('of two reads of a post, the one that began later is kept, whichever ends first', async () => {
  const world = openCrowd()
  const releaseFirst = world.hold()
  const first = world.likesSeen(eve, [FIRST])
  await null
  await world.like(FIRST, bob)
  world.held = Promise.resolve()
  expect(await world.likesSeen(bob, [FIRST])).toEqual([1])
  releaseFirst()
  expect(await first).toEqual([0])
  world.clock.advance(10_000)
  expect(await world.likesSeen(eve, [FIRST])).toEqual([1])
})

test('however many posts are liked, none keeps its counts of before', async () => {
  const world = openCrowd()
  await world.likesSeen(eve, world.ids)
  for (const post of world.ids) await world.like(post, bob)
  world.clock.advance(1_000)
  const seen = await world.likesSeen(eve, world.ids)
  expect(seen.filter((likes) => likes !== 1)).toEqual([])
})

test('however many like one post, everybody sees it within a second, and each their own at once', async () => {
  const world = openCrowd()
  await world.likesSeen(eve, [FIRST])
  for (let n = 1; n <= 2_500; n += 1) await world.like(FIRST, (10 + n) as UserId)
  for (const n of [1, 999, 1_000, 1_001, 2_500]) {
    expect(await world.likesSeen((10 + n) as UserId, [FIRST])).toEqual([2_500])
  }
  world.clock.advance(1_000)
  expect(await world.likesSeen(eve, [FIRST])).toEqual([2_500])
})

test('however many change their names, no post keeps an old one', async () => {
  const world = openCrowd()
  await world.namesSeen(world.ids)
  for (const post of world.ids) await world.rename(Number(post) as UserId)
  const seen = await world.namesSeen(world.ids)
  expect(seen.filter((name) => name !== 'after')).toEqual([])
})

test('a name that changes during a read is the new one for all who ask after that', async () => {
  const world = openCrowd()
  const release = world.hold()
  const early = world.namesSeen([FIRST])
  await null
  await world.rename(Number(FIRST) as UserId)
  const late = world.namesSeen([FIRST])
  release()
  expect([await early, await late]).toEqual([['before'], ['after']])
  expect(await world.namesSeen([FIRST])).toEqual(['after'])
})
