import { describe, expect, test } from 'bun:test'
import { rateLimiterConformance } from '../../testing/rate-limiter-conformance'
import { testServers } from '../../testing/servers'
import { createTcpProxy } from '../../testing/tcp-proxy'
import { createTestRedis } from '../../testing/test-redis'
import { createMemoryRateLimiter } from '../memory/rate-limiter'
import { createRedisRateLimiter } from './rate-limiter'

const target = testServers.redis ?? ''

describe.skipIf(!testServers.redis)('on Redis', () => {
  rateLimiterConformance(async () => {
    const [redis, another] = [createTestRedis(), createTestRedis()]
    const { prefix } = redis
    const alone = createMemoryRateLimiter()
    return {
      one: createRedisRateLimiter({ client: redis.client, alone }, { prefix }),
      other: createRedisRateLimiter({ client: another.client, alone }, { prefix }),
      async [Symbol.asyncDispose]() {
        await redis[Symbol.asyncDispose]()
        await another[Symbol.asyncDispose]()
      },
    }
  })

  test('goes on counting alone while Redis is away', async () => {
    await using proxy = await createTcpProxy(target)
    const { client, prefix } = createTestRedis(proxy.url, {
      commandTimeoutMs: 150,
      connectTimeoutMs: 150,
    })
    await using _client = client
    const limit = { name: 'some', quota: 2, seconds: 60 }
    const limiter = createRedisRateLimiter({ client, alone: createMemoryRateLimiter() }, { prefix })
    await limiter.take(limit, 'a')
    await proxy.cut()
    const states: boolean[] = []
    for (let at = 0; at < 4; at += 1) states.push((await limiter.take(limit, 'a')).isExceeded)
    expect(states).toEqual([false, false, true, true])
    await proxy.resume()
  })
})
