import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { testServers } from '../../testing/servers'
import { createTestRedis } from '../../testing/test-redis'
import { timelineStoreConformance } from '../../testing/timeline-store-conformance'
import { testLimits } from '../../testing/timeline-store-harness'
import { createRedisTimelineStore, timelineKey } from './timeline-store'

const user = 7 as UserId
const all = { before: null, limit: 1_000 }

describe.skipIf(!testServers.redis)('redis', () => {
  timelineStoreConformance(async (limits) => {
    const redis = createTestRedis()
    const { client, prefix } = redis
    return {
      store: createRedisTimelineStore(redis, { prefix, limits }),
      elapse: (of, ms) =>
        client.run(async (connected) => {
          const key = timelineKey(prefix, of as UserId)
          const left = await connected.pttl(key)
          if (left >= 0) await connected.pexpire(key, left - ms)
        }),
      [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
    }
  })

  test('pushes and reads on after the server forgot the scripts', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    await install(store, [10])
    await redis.client.run((connected) => connected.script('FLUSH'))
    const answers = await Promise.all([
      store.push(11 as PostId, [user]),
      store.push(12 as PostId, [user]),
      store.read(user, all),
    ])
    expect(answers).toMatchObject([{ delivered: 1 }, { delivered: 1 }, { state: 'ready' }])
    expect(await store.read(user, all)).toMatchObject({ ids: [12, 11, 10] })
  })

  test('has no timeline after its key was lost', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    await install(store, [10])
    const token = await store.beginRebuild(8 as UserId)
    await redis.client.run(async (connected) => {
      await connected.unlink(await connected.keys(`${redis.prefix}:*`))
    })
    expect(await store.read(user, all)).toEqual({ state: 'absent' })
    expect(await store.push(11 as PostId, [user])).toMatchObject({ absent: 1 })
    const rebuilt = { ids: [], complete: true, graphVersion: 1 }
    expect(await store.finishRebuild(8 as UserId, token!, rebuilt)).toBe(false)
  })

  test('never reads a window that another run of the server wrote', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    const key = timelineKey(redis.prefix, user as UserId)
    for (const state of ['r', 'b']) {
      await redis.client.run((connected) =>
        connected.rpush(key, `${state}|0|0123456789ab|1`, '20', '30'),
      )
      expect(await store.read(user, all)).toEqual({ state: 'absent' })
      expect(await redis.client.run((connected) => connected.exists(key))).toBe(0)
      await redis.client.run((connected) => connected.rpush(key, `${state}|0|0123456789ab|1`))
      expect(await store.beginRebuild(user)).not.toBeNull()
      await store.drop(user)
    }
  })

  test('takes a window that an earlier version laid out, newest id first, for lost', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    const key = timelineKey(redis.prefix, user)
    const layOut = () =>
      redis.client.run((connected, run) => connected.rpush(key, '30', '20', `r|0|${run}|1`))
    await layOut()
    expect(await store.read(user, all)).toEqual({ state: 'absent' })
    await layOut()
    expect(await store.push(40 as PostId, [user])).toMatchObject({ delivered: 0, absent: 1 })
    expect(await redis.client.run((connected) => connected.exists(key))).toBe(0)
  })

  test('removes what is no timeline and goes on with the others', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    const broken = [1, 2, 3, 4] as UserId[]
    const keys = broken.map((each) => timelineKey(redis.prefix, each as UserId))
    const spoil = () =>
      redis.client.run((connected) =>
        Promise.all([
          connected.set(keys[0]!, 'text'),
          connected.hset(keys[1]!, 'a', 'b'),
          connected.rpush(keys[2]!, 'no', 'ids'),
          connected.rpush(keys[3]!, '9'),
        ]),
      )
    await install(store, [5])
    await spoil()
    const result = await store.push(6 as PostId, [...broken, user])
    expect(result).toEqual({ delivered: 1, absent: 4, duplicate: 0, belowFloor: 0 })
    expect(await redis.client.run((connected) => connected.exists(...keys))).toBe(0)
    await spoil()
    for (const each of broken) expect(await store.read(each, all)).toEqual({ state: 'absent' })
    await spoil()
    for (const each of broken) expect(await store.beginRebuild(each)).not.toBeNull()
  })

  test('keeps a timeline within its time to live, and pushes do not prolong it', async () => {
    await using redis = createTestRedis()
    const store = createRedisTimelineStore(redis, {
      prefix: redis.prefix,
      limits: testLimits,
    })
    const ttl = () =>
      redis.client.run((connected) => connected.pttl(timelineKey(redis.prefix, user as UserId)))
    const token = await store.beginRebuild(user)
    expect(await ttl()).toBeWithin(1, testLimits.rebuildTtlMs + 1)
    await store.finishRebuild(user, token!, { ids: [], complete: true, graphVersion: 1 })
    expect(await ttl()).toBeWithin(testLimits.rebuildTtlMs + 1, testLimits.ttlMs + 1)
    await redis.client.run((connected) =>
      connected.pexpire(timelineKey(redis.prefix, user as UserId), 100_000),
    )
    for (let id = 1; id <= 20; id += 1) await store.push(id as PostId, [user])
    expect(await ttl()).toBeWithin(1, 100_001)
    await store.read(user, all)
    expect(await ttl()).toBeWithin(100_001, testLimits.ttlMs + 1)
  })
})

async function install(
  store: ReturnType<typeof createRedisTimelineStore>,
  ids: number[],
): Promise<void> {
  const token = await store.beginRebuild(user)
  await store.finishRebuild(user, token!, {
    ids: ids as PostId[],
    complete: true,
    graphVersion: 1,
  })
}
