import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { INTERRUPTIONS, interrupt } from '../testing/interruption'
import { openReplicas } from '../testing/replicas'

/** Fewer than the posts, so that pages go on below the floor of a window. */
const CAP = 6
/** More turns of the queue of promises than any of these pages takes. */
const TURNS_MAX = 1_000

interface Reader {
  readonly id: UserId
  readonly token: string
}

/** What happens at replica 0 in the midst of a page. */
const ENDINGS = {
  ...INTERRUPTIONS,
  'all that is kept is heard to have changed': {
    end({ channel, posts, people }: World) {
      channel.relay([
        ...posts.map((post) => ({ kind: 'post' as const, post })),
        ...people.flatMap((user) => [
          { kind: 'viewer' as const, user },
          { kind: 'author' as const, user },
          { kind: 'posts' as const, author: user },
        ]),
        { kind: 'lanes' as const },
      ])
      channel.settle()
    },
    mend() {},
  },
} as const

/** What replica 0 keeps when the page begins. */
const MEMORIES = {
  cold: async ({ channel }: World) => channel.startAnew(0),
  warm: async (world: World, path: string) => {
    await world.read(0, world.reader, path)
    await world.read(0, world.reader, path)
  },
  'without some posts': async (world: World, path: string) => {
    await world.read(0, world.reader, path)
    const lost = world.posts.filter((_, at) => at % 2 === 0)
    world.channel.relay(lost.map((post) => ({ kind: 'post' as const, post })))
    world.channel.settle()
  },
} as const

type World = Awaited<ReturnType<typeof openWorld>>

/** A reader with a window and posts below it, a merged author, somebody muted and somebody blocked. */
async function openWorld() {
  const api = await openReplicas(2, { cap: CAP })
  const [reader, star, friend, muted, blocked] = [
    await api.signUp('reader'),
    await api.signUp('star'),
    await api.signUp('friend'),
    await api.signUp('muted'),
    await api.signUp('blocked'),
  ]
  const other = await api.signUp('other')
  const put = (user: Reader, path: string) => api.request(0, 'PUT', path, { token: user.token })
  for (const user of [reader, other]) {
    for (const name of ['star', 'friend', 'muted']) await put(user, `/v1/users/${name}/follow`)
  }
  await put(reader, '/v1/users/muted/mute')
  await put(reader, '/v1/users/blocked/block')
  const posts: PostId[] = []
  for (let n = 0; n < 3; n += 1) {
    for (const { token } of [star, friend, muted, blocked, reader]) {
      const body = { text: `word ${n} #tag` }
      const answer = await api.request(0, 'POST', '/v1/posts', { token, body })
      posts.push(Number(answer.body.id) as PostId)
      api.clock.advance(1)
    }
  }
  for (const post of posts.filter((_, at) => at % 5 < 2))
    await put(reader, `/v1/posts/${post}/like`)
  await api.fanOut()
  const { lanes, tags } = api.stores
  await lanes.finish(star.id, await lanes.begin(star.id), 'pull')
  await api.channel.freshness(0).announce([{ kind: 'lanes' }])
  await tags.set(posts.map((post) => ({ post, tags: ['tag'] })))
  const rows = await api.db.selectFrom('posts').selectAll().execute()
  await api.search.apply(
    rows.map((row) => ({
      op: 'index',
      version: 1n,
      document: {
        kind: 'post',
        id: row.id,
        authorId: row.author_id,
        text: row.text,
        createdAt: row.created_at,
      },
    })),
  )
  await api.search.refresh()
  api.channel.settle()
  api.clock.advance(2_000)

  return Object.assign(api, {
    reader,
    other,
    posts,
    people: [reader, star, friend, muted, blocked, other].map(({ id }) => id),
    async read(at: number, { token }: Reader, path: string) {
      const { status, body } = await api.request(at, 'GET', path, { token })
      return { status, body }
    },
  })
}

const PAGES = {
  'the feed, from its window': '/v1/feed?limit=3',
  'the feed, to its end': '/v1/feed?limit=50',
  'posts with a hashtag': '/v1/tags/tag/posts?limit=5',
  'posts that one likes': '/v1/me/likes?limit=3',
  'posts found by a word': '/v1/search/posts?q=word&limit=4',
} as const

describe('a page in whose midst belief ends, at whichever moment,', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld()
    // Replica 1 asks SQL for all.
    world.channel.lapse(1)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  describe.each(Object.entries(PAGES))('of %s', (_, path) => {
    describe.each(Object.entries(MEMORIES))('from a memory that is %s', (_, remember) => {
      test.each(Object.entries(ENDINGS))(
        'lacks nothing where %s',
        async (_, { end, mend }) => {
          const { reader, other } = world
          const truths = [await world.read(1, reader, path), await world.read(1, other, path)]
          expect(truths.map(({ status }) => status)).toEqual([200, 200])
          expect(truths[0]?.body.items.length).toBeGreaterThan(2)
          let turn = 0
          for (let wasInMidst = true; wasInMidst && turn < TURNS_MAX; turn += 1) {
            await remember(world, path)
            // Two of one reader and one of another: some wait for what others load.
            const responses = [reader, other, reader].map(({ token }) =>
              world.handle(0, path, { headers: { authorization: `Bearer ${token}` } }),
            )
            wasInMidst = await interrupt(responses, turn, () => end(world, 0))
            for (const [at, response] of (await Promise.all(responses)).entries()) {
              const answer = { turn, status: response.status, body: await response.json() }
              if (answer.status !== 503) expect(answer).toEqual({ turn, ...truths[at % 2]! })
            }
            mend(world, 0)
          }
          expect(turn).toBeGreaterThan(5)
          expect(turn).toBeLessThan(TURNS_MAX)
        },
        60_000,
      )
    })
  })
})
