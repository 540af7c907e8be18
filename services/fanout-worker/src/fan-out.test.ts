import { expect, test } from 'bun:test'
import { createMemoryTimelineStore } from '@sns/shared/adapters/memory/timeline-store'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import type { FollowId, PostId, UserId } from '@sns/shared/domain/id'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { ChangeEvent, Operation } from '@sns/shared/events/change-event'
import { changeOf } from '@sns/shared/events/change-record'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { ChangeLog } from '@sns/shared/ports/change-log'
import type { Hint } from '@sns/shared/ports/freshness'
import type { FollowPair } from '@sns/shared/ports/graph-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import { eventually } from '@sns/shared/testing/eventually'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import fc from 'fast-check'
import { createFanoutWorker, type FanoutWorkerOptions } from './fan-out'
import type { Lanes } from './lanes'

const [ann, bob, cat, dan] = [1, 2, 3, 4] as [UserId, UserId, UserId, UserId]

test('pushes a new post to its author and all followers, and to nobody else', async () => {
  const world = createWorld([follows(bob, ann), follows(cat, ann), follows(dan, bob)])
  for (const user of [ann, bob, cat, dan]) await world.rebuild(user)
  world.log.append(created(10, ann), created(11, bob))
  await world.drain()
  expect(await world.timeline(ann)).toEqual([10])
  expect(await world.timeline(bob)).toEqual([11, 10])
  expect(await world.timeline(cat)).toEqual([10])
  expect(await world.timeline(dan)).toEqual([11])
  expect(world.hints).toEqual([
    { kind: 'delivered', author: ann },
    { kind: 'delivered', author: bob },
  ])
})

test('hints at an author when the posts are in the timelines, not before', async () => {
  const pushed = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const world = createWorld([follows(bob, ann)], {
    timelines: (store) => ({
      ...store,
      async push(post, users) {
        begun.resolve()
        await pushed.promise
        return store.push(post, users)
      },
    }),
  })
  await world.rebuild(bob)
  world.log.append(created(10, ann))
  const drained = world.drain()
  await begun.promise
  for (let turn = 0; turn < 20; turn += 1) await yieldToEventLoop()
  expect(world.hints).toEqual([])
  pushed.resolve()
  await drained
  expect(world.hints).toEqual([{ kind: 'delivered', author: ann }])
})

test('takes new posts only: no snapshot rows, edits, deletes', async () => {
  const world = createWorld([follows(bob, ann)])
  await world.rebuild(bob)
  world.log.append(...(['r', 'u', 'd'] as const).map((op) => created(10, ann, op)))
  await world.drain()
  expect(await world.timeline(bob)).toEqual([])
})

test('reads followers by pages and pushes by chunks, each follower once', async () => {
  const pairs = Array.from({ length: 23 }, (_, index) => follows((index + 100) as UserId, ann))
  const sizes: number[] = []
  const world = createWorld([...pairs, follows(dan, bob)], {
    options: { followerPage: 10, chunkSize: 4, maxBatch: 10 },
    timelines: (store) => ({
      ...store,
      push(post, users) {
        sizes.push(users.length)
        return store.push(post, users)
      },
    }),
  })
  for (const { follower } of pairs) await world.rebuild(follower)
  world.log.append(created(10, ann), created(11, ann), created(12, bob))
  await world.drain()
  for (const { follower } of pairs) expect(await world.timeline(follower)).toEqual([11, 10])
  expect(Math.max(...sizes)).toBe(4)
  expect(sizes.reduce((a, b) => a + b)).toBe(2 * 24 + 2)
  expect(await world.counted('fanoutSkips', 'duplicate')).toBe(0)
})

test('stops in the midst of the followers of one who is merged by then, and goes on with the next', async () => {
  const pairs = Array.from({ length: 1_000 }, (_, index) => follows((index + 100) as UserId, ann))
  const pushes: [post: PostId, users: number][] = []
  const world = createWorld([...pairs, follows(dan, bob)], {
    options: { followerPage: 10, chunkSize: 10, concurrency: 1 },
    lanes: { pushed: async (author, _lane, followers) => author === ann && followers > 15 },
    timelines: (store) => ({
      ...store,
      push(post, users) {
        pushes.push([post, users.length])
        return store.push(post, users)
      },
    }),
  })
  await world.rebuild(dan)
  world.log.append(created(10, ann), created(12, bob))
  await world.drain()
  const pushedTo = (post: number) =>
    pushes.filter(([each]) => each === post).reduce((sum, [, users]) => sum + users, 0)
  expect(pushedTo(10)).toBe(21)
  expect(pushedTo(12)).toBe(2)
  expect(await world.timeline(dan)).toEqual([12])
})

test('counts deliveries, skips, lag, retries and backlog', async () => {
  // One more than a push is tried in place: twice the batch comes again.
  let failures = 6 + 6
  const world = createWorld([follows(bob, ann), follows(cat, ann), follows(dan, ann)], {
    timelines: (store) => ({
      ...store,
      async push(post, users) {
        if (failures-- > 0) throw storeUnavailable('redis')
        world.clock.advance(250)
        return store.push(post, users)
      },
    }),
  })
  await world.rebuild(bob)
  await world.rebuild(cat)
  await world.timelines.push(10 as PostId, [cat])
  world.log.append(created(10, ann, 'c', { ts: world.clock.now() - 500 }))
  await world.drain()
  expect(await world.counted('fanoutDeliveries')).toBe(1)
  expect(await world.counted('fanoutSkips', 'duplicate')).toBe(1)
  expect(await world.counted('fanoutSkips', 'absent')).toBe(2)
  expect(await world.counted('consumerRetries', 'fanout')).toBe(2)
  const lag = await world.metrics.fanoutLagSeconds.get()
  expect(lag.values.find((value) => value.metricName?.endsWith('_sum'))?.value).toBe(0.75)
  const text = await world.metrics.registry.metrics()
  expect(text).toContain('sns_consumer_backlog{group="fanout"} 1')
})

test('tries a failed push again in place: one in two hundred does not repeat the others', async () => {
  let calls = 0
  let failures = 0
  const followers = Array.from({ length: 2_000 }, (_, index) => (index + 100) as UserId)
  const world = createWorld(
    followers.map((follower) => follows(follower, ann)),
    {
      options: { chunkSize: 1, followerPage: 500 },
      timelines: (store) => ({
        ...store,
        async push(post, users) {
          calls += 1
          if (calls % 200 === 0) {
            failures += 1
            throw storeUnavailable('redis')
          }
          return store.push(post, users)
        },
      }),
    },
  )
  world.log.append(created(10, ann))
  await world.drain()
  // Each failure costs one more push, and no more.
  expect(failures).toBeGreaterThan(5)
  expect(calls).toBe(2_001 + failures)
  expect(await world.counted('consumerRetries', 'fanout')).toBe(0)
  expect(await world.counted('storeRetries', 'redis')).toBe(failures)
})

test('names its group after the deployment', async () => {
  const world = createWorld([], { options: { group: 'sns.prod.fanout' } })
  await world.drain()
  expect([...world.log.groups]).toEqual(['sns.prod.fanout'])
})

test('throws what the log throws', async () => {
  const world = createWorld([], {
    changeLog: { consume: () => Promise.reject(new Error('gone')), backlog: async () => 0 },
  })
  await expect(world.worker.run(new AbortController().signal)).rejects.toThrow('gone')
})

test('whatever fails and repeats, every timeline ends as the posts of those followed', async () => {
  const users = [1, 2, 3, 4, 5] as UserId[]
  const user = fc.constantFrom(...users)
  const world = fc.record({
    edges: fc.uniqueArray(fc.tuple(user, user), { selector: String, maxLength: 20 }),
    authors: fc.array(user, { minLength: 1, maxLength: 40, size: 'max' }),
    failures: fc.array(fc.boolean(), { maxLength: 60, size: 'max' }),
    followerPage: fc.integer({ min: 1, max: 6 }),
    chunkSize: fc.integer({ min: 1, max: 3 }),
    maxBatch: fc.integer({ min: 1, max: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(world, async ({ edges, authors, failures, ...options }) => {
      const pairs = edges.filter(([a, b]) => a !== b).map(([a, b]) => follows(a, b))
      const plan = [...failures]
      const { log, ...rest } = createWorld(pairs, {
        options,
        timelines: (store) => ({
          ...store,
          async push(post, to) {
            // Half of the failures come after the work was done: the answer was lost.
            const fails = plan.shift() ?? false
            if (fails && plan.length % 2 === 0) throw storeUnavailable('redis')
            const result = await store.push(post, to)
            if (fails) throw storeUnavailable('redis')
            return result
          },
        }),
      })
      for (const each of users) await rest.rebuild(each)
      log.append(...authors.map((author, index) => created(index + 1, author)))
      await rest.drain()
      for (const each of users) {
        const followed = new Set([
          each,
          ...pairs.filter((p) => p.follower === each).map((p) => p.author),
        ])
        const truth = authors.flatMap((author, index) => (followed.has(author) ? [index + 1] : []))
        expect(await rest.timeline(each)).toEqual(truth.reverse())
      }
    }),
    { numRuns: 60 },
  )
})

function follows(follower: UserId, author: UserId): FollowPair {
  return { author, follower, followId: (author * 1000 + follower) as FollowId }
}

function created(
  id: number,
  author: UserId,
  op: Operation = 'c',
  { ts = 0 }: { ts?: number } = {},
): ChangeEvent<'posts'> {
  const row = {
    id: id as PostId,
    author_id: author,
    text: 'hello',
    version: 1,
    created_at: 1,
    edited_at: null,
    updated_at: 1,
  }
  return changeOf(op, op === 'u' || op === 'd' ? row : null, op === 'd' ? null : row, {
    source: {
      connector: 'sqlite',
      db: 'sns',
      table: 'posts',
      ts_ms: ts,
      gtid: `sqlite:${id}`,
      file: '',
      pos: id,
      row: 0,
      snapshot: op === 'r' ? 'true' : 'false',
      epoch: 0,
    },
    ts_ms: ts,
    transaction: null,
  })
}

interface WorldOptions {
  readonly options?: Partial<FanoutWorkerOptions>
  readonly timelines?: (store: TimelineStore) => TimelineStore
  readonly lanes?: Partial<Lanes>
  readonly changeLog?: Pick<ChangeLog, 'consume' | 'backlog'>
}

function createWorld(pairs: readonly FollowPair[], world: WorldOptions = {}) {
  const clock = createManualClock()
  const metrics = createMetrics()
  const timelines = createMemoryTimelineStore({ clock })
  const log = createFakeLog()
  const ordered = pairs.toSorted((a, b) => a.author - b.author || a.followId - b.followId)
  const hints: Hint[] = []
  const worker = createFanoutWorker(
    {
      hints: { hint: async (given) => void hints.push(...given) },
      changeLog: world.changeLog ?? log,
      graph: {
        async followersOf(authors, after, limit) {
          const rest = ordered.filter(
            (pair) =>
              authors.includes(pair.author) &&
              (after === null ||
                pair.author > after.author ||
                (pair.author === after.author && pair.followId > after.followId)),
          )
          return rest.slice(0, limit)
        },
      },
      timelines: world.timelines?.(timelines) ?? timelines,
      lanes: { settle: async () => new Map(), pushed: async () => false, ...world.lanes },
      metrics,
      logger: createLogger('test', 'silent'),
      clock,
    },
    { group: 'test.fanout', pushRetry: { attempts: 6, baseMs: 0, capMs: 0 }, ...world.options },
  )
  return {
    log,
    hints,
    worker,
    clock,
    metrics,
    timelines,
    async rebuild(user: UserId) {
      const token = await timelines.beginRebuild(user)
      await timelines.finishRebuild(user, token!, { ids: [], complete: true, graphVersion: 1 })
    },
    async timeline(user: UserId): Promise<number[] | null> {
      const slice = await timelines.read(user, { before: null, limit: 1_000 })
      return slice.state === 'ready' ? [...slice.ids] : null
    },
    /** Runs the worker until it has finished all that was appended. */
    async drain() {
      const stop = new AbortController()
      const running = worker.run(stop.signal)
      await eventually(() => log.isDrained())
      stop.abort()
      await running
    },
    async counted(
      name: 'fanoutDeliveries' | 'fanoutSkips' | 'consumerRetries' | 'storeRetries',
      label?: string,
    ): Promise<number> {
      const values = (await metrics[name].get()).values as readonly {
        readonly labels: Readonly<Record<string, unknown>>
        readonly value: number
      }[]
      const matching = values.filter(
        ({ labels }) => !label || Object.values(labels).includes(label),
      )
      return matching.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

/** Hands events over in order, and again when the handler throws. */
function createFakeLog() {
  const events: ChangeEvent<'posts'>[] = []
  const groups = new Set<string>()
  let done = 0
  return {
    groups,
    append: (...some: ChangeEvent<'posts'>[]) => void events.push(...some),
    isDrained: () => groups.size > 0 && done === events.length,
    async consume({ group, maxBatch, handle, signal, onRetry }) {
      groups.add(group)
      let attempt = 0
      while (!signal.aborted) {
        const batch = events.slice(done, done + maxBatch)
        if (batch.length === 0) {
          await new Promise(setImmediate)
          continue
        }
        try {
          await handle(batch as never[], signal)
          done += batch.length
          attempt = 0
        } catch (error) {
          attempt += 1
          onRetry?.(error, attempt, 0)
        }
      }
    },
    backlog: async () => events.length - done,
  } satisfies Pick<ChangeLog, 'consume' | 'backlog'> & Record<string, unknown>
}
