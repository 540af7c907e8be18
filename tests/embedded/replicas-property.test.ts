import { expect, test } from 'bun:test'
import { INTERRUPTIONS, type Interruption, interrupt } from '@sns/api/testing/interruption'
import { openReplicas, type Replicas } from '@sns/api/testing/replicas'
import { createFanOut } from '@sns/fanout-worker/fan-out'
import { createLanes } from '@sns/fanout-worker/lanes'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import fc from 'fast-check'

const PEOPLE = 4
const REPLICAS = 3
/** `FEED_RUNS=5000 bun test …` for a long one. */
const RUNS = Number(process.env.FEED_RUNS ?? 150)

interface Person {
  readonly id: UserId
  readonly username: string
  readonly token: string
}

const who = fc.nat(PEOPLE - 1)
const at = fc.nat(REPLICAS - 1)
const limit = fc.integer({ min: 1, max: 7 })
/** Belief ends after so many turns of the queue of promises, in the midst of each page. */
const interrupted = fc.record({
  how: fc.constantFrom(...Object.values(INTERRUPTIONS)),
  turns: fc.nat(250),
})

const write = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('post' as const), who, at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('follow' as const, 'follow' as const, 'block' as const, 'mute' as const),
      undo: fc.boolean(),
      who,
      at,
      whom: who,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('edit', 'delete', 'like', 'unlike', 'comment') as fc.Arbitrary<
        'edit' | 'delete' | 'like' | 'unlike' | 'comment'
      >,
      who,
      at,
      post: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), who, at }) },
)

const step = fc.oneof(
  // A write, then a read, mostly by the writer, at any replica: it must see the write.
  {
    weight: 8,
    arbitrary: fc.record({ write, isOwn: fc.boolean(), reader: who, readAt: at, limit }),
  },
  { weight: 3, arbitrary: fc.record({ reader: who, readAt: at, limit }) },
  { weight: 3, arbitrary: fc.record({ reader: who, readAt: at, limit, interrupted }) },
  // A writer that dies between its commit and its announcement; the log announces.
  {
    weight: 1,
    arbitrary: fc.record({
      dies: fc.constantFrom('edit' as const, 'delete' as const, 'unfollow' as const),
      who,
      post: fc.nat(),
      whom: who,
    }),
  },
  // Somebody gains or loses their followers, and so may cross to another lane with the next post.
  {
    weight: 2,
    arbitrary: fc.record({
      crowd: fc.constantFrom('comes' as const, 'leaves' as const),
      whom: who,
      but: fc.nat(PEOPLE),
      at,
    }),
  },
  // A push by a worker that read the followers before somebody unfollowed.
  { weight: 1, arbitrary: fc.record({ stray: fc.nat(), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      event: fc.constantFrom(
        'cut' as const,
        'connect' as const,
        'connect' as const,
        'fanOut' as const,
        'fanOut' as const,
        'lose' as const,
        'second' as const,
      ),
      who,
      at,
      // A worker that is killed while it moves an author to another lane.
      killAfter: fc.option(fc.nat(6), { freq: 2 }),
    }),
  },
)

type Write = typeof write extends fc.Arbitrary<infer T> ? T : never
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What the rows say a feed is, worked out without any of the code under test. */
async function truth({ db }: Replicas, me: UserId) {
  const [users, follows, blocks, mutes, posts, likes, comments] = await Promise.all([
    db.selectFrom('users').selectAll().execute(),
    db.selectFrom('follows').selectAll().execute(),
    db.selectFrom('blocks').selectAll().execute(),
    db.selectFrom('mutes').selectAll().execute(),
    db.selectFrom('posts').selectAll().execute(),
    db.selectFrom('likes').selectAll().execute(),
    db.selectFrom('comments').selectAll().execute(),
  ])
  const isShown = (author: UserId) =>
    author === me ||
    (follows.some((row) => row.follower_id === me && row.followee_id === author) &&
      !blocks.some(
        (row) =>
          (row.blocker_id === me && row.blocked_id === author) ||
          (row.blocker_id === author && row.blocked_id === me),
      ) &&
      !mutes.some((row) => row.muter_id === me && row.muted_id === author))
  return posts
    .filter((post) => isShown(post.author_id))
    .sort((a, b) => b.id - a.id)
    .map((post) => ({
      id: post.id,
      authorId: post.author_id,
      text: post.text,
      displayName: users.find((user) => user.id === post.author_id)?.display_name,
      isLiked: likes.some((row) => row.user_id === me && row.post_id === post.id),
      likes: likes.filter((row) => row.post_id === post.id).length,
      comments: comments.filter((row) => row.post_id === post.id).length,
    }))
}

interface Interrupted {
  readonly how: Interruption
  readonly turns: number
}

async function traverse(
  api: Replicas,
  reader: Person,
  replica: number,
  size: number,
  interrupted?: Interrupted,
) {
  // biome-ignore lint/suspicious/noExplicitAny: posts as JSON
  const seen: any[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const path = `/v1/feed?limit=${size}${query}`
    const headers = { authorization: `Bearer ${reader.token}` }
    const answer = api.handle(replica, path, { headers })
    if (interrupted) {
      const { how, turns } = interrupted
      await interrupt([answer], turns, () => how.end(api, replica))
    }
    const response = await answer
    interrupted?.how.mend(api, replica)
    expect(response.status).toBe(200)
    // biome-ignore lint/suspicious/noExplicitAny: posts as JSON
    const body: any = await response.json()
    seen.push(...body.items)
    cursor = body.nextCursor
    expect(cursor === null || body.items.length === size).toBe(true)
  } while (cursor !== null)
  return seen
}

/** What each process keeps is what the database holds. */
async function checkMemories({ memories }: Replicas): Promise<void> {
  for (const memory of memories) {
    for await (const report of memory.verify(Number.POSITIVE_INFINITY)) {
      expect(report).toMatchObject({ differing: [], isBelieved: true })
    }
  }
}

/** F1, F3, F5 and F8 for one reader at one replica; F2 for all that was pushed. */
async function checkRead(
  api: Replicas,
  reader: Person,
  replica: number,
  size: number,
  isQuiet: boolean,
  interrupted?: Interrupted,
): Promise<void> {
  const seen = await traverse(api, reader, replica, size, interrupted)
  const expected = await truth(api, reader.id)
  const byId = new Map(expected.map((post) => [String(post.id), post]))
  const ids: string[] = seen.map(({ id }) => id)
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => Number(b) - Number(a)))
  for (const post of seen) {
    const row = byId.get(post.id)
    expect(row).toBeDefined()
    expect(post.text).toBe(row!.text)
    expect(post.author.displayName).toBe(row!.displayName!)
    expect(post.viewer.liked).toBe(row!.isLiked)
    if (isQuiet) expect(post.counts).toEqual({ likes: row!.likes, comments: row!.comments })
  }
  const due = expected.filter(
    ({ id, authorId }) => isQuiet || authorId === reader.id || api.fannedOut.has(id),
  )
  expect(due.map(({ id }) => String(id)).filter((id) => !ids.includes(id))).toEqual([])
}

async function perform(api: Replicas, people: readonly Person[], posts: PostId[], each: Write) {
  const { token, id } = people[each.who]!
  const send = (method: string, path: string, body?: unknown) =>
    api.request(each.at, method, path, { token, ...(body === undefined ? {} : { body }) })
  switch (each.do) {
    case 'post': {
      const { status, body } = await send('POST', '/v1/posts', { text: 'x' })
      expect(status).toBe(201)
      posts.push(Number(body.id) as PostId)
      return
    }
    case 'follow':
    case 'block':
    case 'mute':
      await send(
        each.undo ? 'DELETE' : 'PUT',
        `/v1/users/${people[each.whom]!.username}/${each.do}`,
      )
      return
    case 'rename':
      await send('PATCH', '/v1/me', { displayName: `n${Math.random()}` })
      return
    default: {
      const post = posts[each.post % Math.max(1, posts.length)]
      if (post === undefined) return
      const path = `/v1/posts/${post}`
      if (each.do === 'edit') await send('PATCH', path, { text: `${id} ${Math.random()}` })
      else if (each.do === 'delete') await send('DELETE', path)
      else if (each.do === 'comment') await send('POST', `${path}/comments`, { text: 'c' })
      else await send(each.do === 'like' ? 'PUT' : 'DELETE', `${path}/like`)
    }
  }
}

/** Processes with a worker beside them, as it runs, for whom few followers are many. */
function createWorld(api: Replicas, pullAbove: number) {
  const { stores, timelines, clock, db } = api
  const metrics = createMetrics()
  const logger = createLogger('test', 'silent')
  return {
    api,
    /** Delivers what is in the log; `killAfter` so many steps of a crossing the worker dies. */
    async fanOut(at = 0, killAfter: number | null = null): Promise<void> {
      let left = killAfter ?? Number.POSITIVE_INFINITY
      const alive = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
        return async (...args: Args): Promise<Result> => {
          left -= 1
          if (left < 0) throw new Error('killed')
          return call(...args)
        }
      }
      const { announce } = api.channel.freshness(at)
      const lanes = createLanes(
        {
          lanes: {
            ...stores.lanes,
            begin: alive(stores.lanes.begin),
            finish: alive(stores.lanes.finish),
          },
          graph: stores.graph,
          users: { touchGraph: alive(stores.users.touchGraph) },
          announcer: { announce: alive(announce) },
          logger,
        },
        { pullAbove },
      )
      const { deliver } = createFanOut(
        { graph: stores.graph, timelines, lanes, metrics, clock },
        {
          followerPage: 2,
          chunkSize: 2,
          concurrency: 2,
          pushRetry: { attempts: 1, baseMs: 1, capMs: 1 },
        },
      )
      const rows = await db.selectFrom('posts').select(['id', 'author_id']).orderBy('id').execute()
      const due = rows.filter(({ id }) => !api.fannedOut.has(id))
      const created = due.map(({ id, author_id: author }) => ({ id, author, committedAt: 0 }))
      try {
        await deliver(created, new AbortController().signal)
      } catch (error) {
        if (killAfter === null) throw error
        return
      }
      for (const { id } of due) api.fannedOut.add(id)
    },
  }
}
type World = ReturnType<typeof createWorld>

async function takeStep(
  world: World,
  people: readonly Person[],
  posts: PostId[],
  each: Step,
): Promise<void> {
  const { api } = world
  if ('event' in each) {
    if (each.event === 'cut') api.channel.cut(each.at)
    else if (each.event === 'connect') api.channel.connect(each.at)
    else if (each.event === 'fanOut') await world.fanOut(each.at, each.killAfter)
    else if (each.event === 'lose') await api.timelines.drop(people[each.who]!.id)
    else {
      api.channel.settle()
      api.clock.advance(1_000)
    }
    return
  }
  if ('crowd' in each) {
    const { username } = people[each.whom]!
    for (const [at, { token }] of people.entries()) {
      if (at === each.whom || at === each.but) continue
      const method = each.crowd === 'comes' ? 'PUT' : 'DELETE'
      await api.request(each.at + at, method, `/v1/users/${username}/follow`, { token })
    }
    return
  }
  if ('dies' in each) {
    const { id } = people[each.who]!
    const post = posts[each.post % Math.max(1, posts.length)]
    if (each.dies === 'unfollow') {
      await api.stores.graph.unfollow(id, people[each.whom]!.id)
      api.channel.relay([{ kind: 'viewer', user: id }])
    } else if (post !== undefined) {
      const { posts: store } = api.stores
      const done = each.dies === 'edit' ? store.edit(post, id, 'dead') : store.delete(post, id)
      await done.catch(() => undefined)
      api.channel.relay([{ kind: 'post', post }])
    }
    return
  }
  if ('stray' in each) {
    const post = posts[each.stray % Math.max(1, posts.length)]
    if (post !== undefined) await api.timelines.push(post, [people[each.who]!.id])
    return
  }
  if ('write' in each) await perform(api, people, posts, each.write)
  const reader = 'write' in each && each.isOwn ? each.write.who : each.reader
  const how = 'interrupted' in each ? each.interrupted : undefined
  await checkRead(api, people[reader]!, each.readAt, each.limit, false, how)
}

interface Setting {
  /** Ids in a window. */
  readonly cap: number
  /** Posts on a page. */
  readonly size: number
  /** Followers from which an author is merged. */
  readonly pullAbove: number
  /** Servers that the timelines are on: more than one are a cluster. */
  readonly primaries: number
}

async function checkHistory(
  steps: readonly Step[],
  { cap, size, pullAbove, primaries }: Setting,
): Promise<void> {
  runs += 1
  await using api = await openReplicas(REPLICAS, { cap, primaries })
  const world = createWorld(api, pullAbove)
  const people: Person[] = []
  for (let n = 0; n < PEOPLE; n += 1) people.push(await api.signUp(`p${runs}_${n}`))
  // So that most of what happens concerns a feed that is read.
  for (const { token, username } of people) {
    for (const other of people) {
      if (other.username === username) continue
      await api.request(0, 'PUT', `/v1/users/${other.username}/follow`, { token })
    }
  }
  const posts: PostId[] = []
  for (const each of steps) {
    await takeStep(world, people, posts, each)
    api.clock.advance(1)
  }
  await world.fanOut()
  api.channel.settle()
  api.clock.advance(1_000)
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    for (const person of people) await checkRead(api, person, replica, size, true)
    api.channel.connect(replica)
  }
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    for (const person of people) await checkRead(api, person, replica, size, true)
  }
  await checkMemories(api)
}
let runs = 0

const cap = fc.integer({ min: 2, max: 12 })
const primaries = fc.integer({ min: 1, max: 3 })

test('whatever is written anywhere, a read that begins after it sees it, wherever it is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      cap,
      limit,
      fc.integer({ min: 1, max: 3 }),
      primaries,
      (steps, cap, size, pullAbove, primaries) =>
        checkHistory(steps, { cap, size, pullAbove, primaries }),
    ),
    { numRuns: RUNS },
  )
}, 600_000)

test('a worker that dies before it told that it moves an author leaves nothing that is wrong', async () => {
  const [who, at, limit] = [3, 0, 1]
  const read = { isOwn: false, reader: 0, readAt: 0, limit }
  const steps: Step[] = [
    { write: { do: 'post', who, at }, ...read },
    { event: 'fanOut', who, at, killAfter: 1 },
    { write: { do: 'delete', who, at, post: 0 }, ...read },
    { reader: 0, readAt: 0, limit },
  ]
  await checkHistory(steps, { cap: 2, size: 1, pullAbove: 1, primaries: 1 })
})

test('a worker that dies before it told the followers of one it moves back leaves nothing that is wrong', async () => {
  const [who, at, limit] = [0, 0, 1]
  const post = {
    write: { do: 'post' as const, who, at },
    isOwn: false,
    reader: 3,
    readAt: 0,
    limit,
  }
  const steps: Step[] = [
    post,
    { event: 'fanOut', who, at, killAfter: null },
    { crowd: 'leaves', whom: who, but: 3, at },
    post,
    { event: 'fanOut', who, at, killAfter: 2 },
    { crowd: 'comes', whom: who, but: 3, at },
  ]
  await checkHistory(steps, { cap: 2, size: 1, pullAbove: 2, primaries: 1 })
})

/** Somebody whom all follow, all but one leave, all follow again; what they write, and reads of it. */
const STAR = 0
const starStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      write: fc.record({ do: fc.constant('post' as const), who: fc.constant(STAR), at }),
      isOwn: fc.boolean(),
      reader: who,
      readAt: at,
      limit,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      event: fc.constant('fanOut' as const),
      who,
      at,
      killAfter: fc.option(fc.nat(6), { freq: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      crowd: fc.constantFrom('comes' as const, 'leaves' as const),
      whom: fc.constant(STAR),
      but: fc.integer({ min: 1, max: PEOPLE - 1 }),
      at,
    }),
  },
  { weight: 4, arbitrary: fc.record({ reader: who, readAt: at, limit }) },
  {
    weight: 1,
    arbitrary: fc.record({
      event: fc.constantFrom('cut' as const, 'connect' as const, 'lose' as const),
      who,
      at,
      killAfter: fc.constant(null),
    }),
  },
)

test('an author who crosses between lanes leaves no hole in any feed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(starStep, { minLength: 15, maxLength: 40, size: 'max' }),
      cap,
      limit,
      primaries,
      (steps, cap, size, primaries) =>
        checkHistory(steps as Step[], { cap, size, pullAbove: 2, primaries }),
    ),
    { numRuns: RUNS },
  )
}, 600_000)
