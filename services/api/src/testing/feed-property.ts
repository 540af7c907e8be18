import { expect } from 'bun:test'
import fc from 'fast-check'
import type { TestApi, TestUser } from './test-api'

const PEOPLE = 4

const who = fc.nat(PEOPLE - 1)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('post' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('follow' as const, 'follow' as const, 'block' as const, 'mute' as const),
      undo: fc.boolean(),
      who,
      whom: who,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('edit' as const, 'delete' as const),
      who,
      at: fc.nat(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      who,
      limit: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'lose' as const), who }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('wait' as const, 'watch' as const),
      who,
      limit: fc.integer({ min: 1, max: 9 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What the rows say the feed is, worked out without any of the code under test. */
async function truth(api: TestApi, viewer: TestUser): Promise<string[]> {
  const [follows, blocks, mutes, posts] = await Promise.all([
    api.db.selectFrom('follows').selectAll().execute(),
    api.db.selectFrom('blocks').selectAll().execute(),
    api.db.selectFrom('mutes').selectAll().execute(),
    api.db.selectFrom('posts').selectAll().execute(),
  ])
  const me = viewer.id as number
  const shown = (author: number) =>
    author === me ||
    (follows.some((row) => row.follower_id === me && row.followee_id === author) &&
      !blocks.some(
        (row) =>
          (row.blocker_id === me && row.blocked_id === author) ||
          (row.blocker_id === author && row.blocked_id === me),
      ) &&
      !mutes.some((row) => row.muter_id === me && row.muted_id === author))
  return posts
    .filter((post) => shown(post.author_id))
    .map((post) => post.id as number)
    .sort((a, b) => b - a)
    .map(String)
}

async function traverse(api: TestApi, viewer: TestUser, limit: number): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const { status, body } = await api.request('GET', `/v1/feed?limit=${limit}${query}`, {
      as: viewer,
    })
    expect(status).toBe(200)
    seen.push(...body.items.map(({ id }: { id: string }) => id))
    cursor = body.nextCursor
    expect(cursor === null || body.items.length === limit).toBe(true)
  } while (cursor !== null)
  return seen
}

async function take(
  api: TestApi,
  people: readonly TestUser[],
  posts: { id: string; by: TestUser }[],
  each: Step,
) {
  const user = people[each.who]!
  if (each.do === 'post') {
    const { body } = await api.request('POST', '/v1/posts', { as: user, body: { text: 'x' } })
    posts.push({ id: body.id, by: user })
  } else if (each.do === 'follow' || each.do === 'block' || each.do === 'mute') {
    const path = `/v1/users/${people[each.whom]!.username}/${each.do}`
    await api.request(each.undo ? 'DELETE' : 'PUT', path, { as: user })
  } else if (each.do === 'edit' || each.do === 'delete') {
    const post = posts[each.at % Math.max(1, posts.length)]
    if (!post) return
    const [method, body] = each.do === 'edit' ? ['PATCH', { text: 'y' }] : ['DELETE', undefined]
    await api.request(method, `/v1/posts/${post.id}`, { as: post.by, body })
  } else if (each.do === 'read') {
    const seen = await traverse(api, user, each.limit)
    const allowed = new Set(await truth(api, user))
    expect(seen.filter((id) => !allowed.has(id))).toEqual([])
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => Number(b) - Number(a)))
    const own = posts.filter(({ id, by }) => by === user && allowed.has(id)).map(({ id }) => id)
    expect(own.filter((id) => !seen.includes(id))).toEqual([])
  } else if (each.do === 'wait') {
    // Nothing was fanned out for longer than feeds wait, and each post is there all the same.
    api.clock.advance(6_000)
    await api.memory.waiting.poll()
    expect(await traverse(api, user, each.limit)).toEqual(await truth(api, user))
  } else if (each.do === 'watch') {
    await api.memory.waiting.poll()
  } else if (each.do === 'settle') {
    await api.fanOut()
  } else {
    await api.stores.timelines.drop(user.id)
  }
}

/** Whether the caches are unavailable for the next call; the property switches it. */
export interface Outage {
  isDown: () => boolean
}

let run = 0

/**
 * F1, F3 and F5 at every read, F2 when the pipeline is quiet, F11 when it has stood still, and F6 throughout: each call to the
 * timelines and the cache may find them unavailable, as `outage` says. Needs windows of a few posts.
 */
export async function checkFeedProperty(
  api: TestApi,
  outage: Outage,
  options: { readonly runs: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 45 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      async (steps, outages, isFlaky, limit) => {
        run += 1
        let calls = 0
        outage.isDown = () => {
          calls += 1
          return isFlaky && outages[calls % outages.length] === true
        }
        const people: TestUser[] = []
        for (let at = 0; at < PEOPLE; at += 1) people.push(await api.signUp(`p${run}_${at}`))
        // So that most of what happens concerns a feed that is read and a window that is cached.
        for (const user of people.slice(1)) {
          await api.request('PUT', `/v1/users/${people[0]!.username}/follow`, { as: user })
        }
        const posts: { id: string; by: TestUser }[] = []
        for (const each of steps) {
          await take(api, people, posts, each)
          api.clock.advance(1)
        }
        await api.fanOut()
        for (const user of people) {
          expect(await traverse(api, user, limit)).toEqual(await truth(api, user))
        }
        outage.isDown = () => false
        for (const user of people) {
          expect(await traverse(api, user, 3)).toEqual(await truth(api, user))
        }
      },
    ),
    { numRuns: options.runs },
  )
}
