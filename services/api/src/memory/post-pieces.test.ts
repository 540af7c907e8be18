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
