import { describe, expect, test } from 'bun:test'
import type { Redis } from 'ioredis'
import type { PostId, UserId } from '../../domain/id'
import { isSnsError } from '../../errors/sns-error'
import { createMetrics } from '../../observability/metrics'
import { counted } from '../../testing/counted'
import { eventually } from '../../testing/eventually'
import { recordedLog } from '../../testing/recorded-log'
import { redisServerBinary, startRedisServer } from '../../testing/redis-server'
import { testServers } from '../../testing/servers'
import { createTcpProxy } from '../../testing/tcp-proxy'
import { createTestRedis, type TestRedis } from '../../testing/test-redis'
import { createRedisClient } from './client'
import { createRedisTimelineStore } from './timeline-store'

/** Long against a round trip, short for a test. */
const options = { commandTimeoutMs: 150, connectTimeoutMs: 150 }
const user = 7 as UserId

describe.skipIf(!testServers.redis)('createRedisClient', () => {
  const target = testServers.redis ?? ''

  test('waits for the first connection, then answers', async () => {
    await using redis = createTestRedis(target, options)
    expect(await redis.client.run((connected) => connected.ping())).toBe('PONG')
    await redis.client.health.check()
  })

  test('starts while the server is away and is there once it comes', async () => {
    await using proxy = await createTcpProxy(target)
    await proxy.cut()
    await using redis = createTestRedis(proxy.url, options)
    expect(await outcome(redis)).toBe('store_unavailable')
    expect(await codeOf(redis.client.health.check())).toBe('store_unavailable')
    await proxy.resume()
    await eventually(async () => (await outcome(redis)) === 'PONG')
    await redis.client.health.check()
  })

  test('starts while the server hangs', async () => {
    await using proxy = await createTcpProxy(target)
    proxy.stall()
    await using redis = createTestRedis(proxy.url, options)
    expect(await outcome(redis)).toBe('store_unavailable')
    await proxy.resume()
    await eventually(async () => (await outcome(redis)) === 'PONG')
  })

  test('fails what is in flight and what comes after when the server dies', async () => {
    await using proxy = await createTcpProxy(target)
    await using redis = createTestRedis(proxy.url, options)
    await redis.client.health.check()
    proxy.stall()
    const inFlight = [outcome(redis), outcome(redis)]
    await proxy.cut()
    expect(await Promise.all(inFlight)).toEqual(['store_unavailable', 'store_unavailable'])
    expect(await outcome(redis)).toBe('store_unavailable')
    await proxy.resume()
    await eventually(async () => (await outcome(redis)) === 'PONG')
  })

  test('asks a hung server nothing until it answers again', async () => {
    await using proxy = await createTcpProxy(target)
    await using redis = createTestRedis(proxy.url, options)
    await redis.client.health.check()
    proxy.stall()
    expect(await outcome(redis)).toBe('store_unavailable')
    // Runs far past several handshakes that time out; none of the calls reaches the connection.
    let asked = 0
    const outcomes = new Set<string>()
    let isLongEnough = false
    const ended = Bun.sleep(options.commandTimeoutMs * 5).then(() => {
      isLongEnough = true
    })
    await eventually(async () => {
      const result = redis.client.run((connected) => {
        asked += 1
        return connected.ping()
      })
      outcomes.add(await codeOf(result))
      return isLongEnough
    })
    await ended
    expect([...outcomes]).toEqual(['store_unavailable'])
    expect(asked).toBe(0)
    await proxy.resume()
    await eventually(async () => (await outcome(redis)) === 'PONG')
  })

  test('counts what failed and says who failed', async () => {
    await using proxy = await createTcpProxy(target)
    await using redis = createTestRedis(proxy.url, options)
    await redis.client.health.check()
    expect(await errorsCounted(redis)).toBe(0)
    const refused = redis.client.run((connected) => connected.call('NO-SUCH-COMMAND'))
    expect(await codeOf(refused)).toBe('store_unavailable')
    expect(await errorsCounted(redis)).toBe(1)
    expect(await outcome(redis)).toBe('PONG')
    await proxy.cut()
    await eventually(async () => (await outcome(redis)) === 'store_unavailable')
    const error = await redis.client.run((connected) => connected.ping()).catch((cause) => cause)
    expect(error).toMatchObject({ detail: 'redis is unavailable', cause: expect.any(Error) })
    expect(await errorsCounted(redis)).toBeGreaterThan(1)
    await proxy.resume()
    await eventually(async () => (await outcome(redis)) === 'PONG')
  })

  test('says what Redis refused without the values of the command', async () => {
    const value = 'what-somebody-wrote'
    const log = recordedLog()
    await using redis = createTestRedis(target, { ...options, logger: log.logger })
    const refused: readonly ((connected: Redis) => Promise<unknown>)[] = [
      (connected) => connected.call('NO-SUCH-COMMAND', value),
      (connected) => connected.auth(value, value),
      (connected) => connected.eval("return redis.call('LPUSH', KEYS[1])", 1, value),
    ]
    for (const command of refused) {
      const error = await redis.client.run(command).catch((thrown: unknown) => thrown)
      expect(isSnsError(error, 'store_unavailable')).toBeTrue()
      expect(Bun.inspect(error, { depth: 20 })).not.toContain(value)
      log.logger.error({ err: error }, 'failed')
    }
    expect(log.text()).toContain('unknown command')
    expect(log.text()).not.toContain(value)
  })

  test('says that it is away without the password it sent', async () => {
    const password = 'what-nobody-may-read'
    const log = recordedLog()
    const url = new URL(target)
    url.username = 'nobody'
    url.password = password
    const deps = { logger: log.logger, metrics: createMetrics() }
    await using client = createRedisClient(deps, { url: url.href, ...options })
    expect(await codeOf(client.health.check())).toBe('store_unavailable')
    expect(log.text()).toContain('redis is unavailable')
    expect(log.text()).not.toContain(password)
  })

  test('ends at once and for good when disposed, with the server hung too', async () => {
    await using proxy = await createTcpProxy(target)
    const redis = createTestRedis(proxy.url, options)
    await redis.client.health.check()
    proxy.stall()
    await redis.client[Symbol.asyncDispose]()
    expect(await outcome(redis)).toBe('store_unavailable')
    await proxy.resume()
    expect(await outcome(redis)).toBe('store_unavailable')
  })

  test('loses no push to a timeline when the connection breaks again and again', async () => {
    await using proxy = await createTcpProxy(target)
    await using redis = createTestRedis(proxy.url, options)
    const store = createRedisTimelineStore(redis, { prefix: redis.prefix })
    const token = await store.beginRebuild(user)
    await store.finishRebuild(user, token!, { ids: [], complete: true, graphVersion: 1 })
    const ids = Array.from({ length: 300 }, (_, index) => (index + 1) as PostId)
    for (const id of ids) {
      const pushed = eventually(
        () =>
          store.push(id, [user]).then(
            () => true,
            () => false,
          ),
        { what: `push of ${id}` },
      )
      if (id % 60 === 0) await proxy.cut().then(proxy.resume)
      await pushed
    }
    const slice = await eventually(() =>
      store.read(user, { before: null, limit: 1_000 }).catch(() => null),
    )
    expect(slice).toMatchObject({ state: 'ready', ids: ids.reverse() })
  })
})

describe.skipIf(!redisServerBinary)('createRedisClient and replicas', () => {
  test('uses none, and leaves one that its primary has become', async () => {
    await using one = await startRedisServer()
    await using other = await startRedisServer()
    await using redis = createTestRedis(one.url, options)
    expect(await outcome(redis)).toBe('PONG')
    const before = redis.client.currentRun()
    await one.replicaOf(other)
    expect(await codeOf(redis.client.checkRun())).toBe('store_unavailable')
    expect(redis.client.currentRun()).toBeNull()
    // It connects again and again, and finds a replica each time.
    await using late = createTestRedis(one.url, options)
    expect(await outcome(late)).toBe('store_unavailable')
    expect(await outcome(redis)).toBe('store_unavailable')
    await one.replicaOf(null)
    await eventually(async () => (await outcome(redis)) === 'PONG')
    await eventually(async () => (await outcome(late)) === 'PONG')
    expect(redis.client.currentRun()).not.toBe(before)
  }, 20_000)
})

/** What a ping gives: its answer, or the code it failed with. */
async function outcome(redis: TestRedis): Promise<string> {
  return redis.client.run((connected) => connected.ping()).catch((error) => codeIn(error))
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error) => codeIn(error),
  )
}

function codeIn(error: unknown): string {
  return isSnsError(error) ? error.code : String(error)
}

function errorsCounted(redis: TestRedis): Promise<number> {
  return counted(redis.metrics.storeErrors, { store: 'redis' })
}
