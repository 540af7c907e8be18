import { describe, expect, test } from 'bun:test'
import type { PostId } from '../../domain/id'
import { post, postCacheConformance } from '../../testing/post-cache-conformance'
import { testServers } from '../../testing/servers'
import { createTestRedis } from '../../testing/test-redis'
import { createRedisPostCache } from './post-cache'

describe.skipIf(!testServers.redis)('redis', () => {
  postCacheConformance(async () => {
    const { client, prefix, ...redis } = createTestRedis()
    return {
      cache: createRedisPostCache(client, { prefix }),
      [Symbol.asyncDispose]: redis[Symbol.asyncDispose],
    }
  })

  test('takes what it cannot read for a miss', async () => {
    await using redis = createTestRedis()
    const cache = createRedisPostCache(redis.client, { prefix: redis.prefix })
    const broken = [
      '',
      'no json',
      '{}',
      'null',
      '[]',
      '[1,2,3,4,5]',
      '[1,2,3,null]',
      '[1.5,1,1,null,"x"]',
      '["1",1,1,null,"x"]',
    ]
    await redis.client.run(async (connected) => {
      for (const [index, value] of broken.entries()) {
        await connected.set(`${redis.prefix}:post:${index + 1}`, value)
      }
      await connected.rpush(`${redis.prefix}:post:100`, 'a list')
    })
    await cache.putMany([post(50)])
    const ids = [...broken.keys()].map((index) => (index + 1) as PostId)
    const found = await cache.getMany([...ids, post(100).id, post(50).id])
    expect([...found.values()]).toEqual([post(50)])
  })

  test('lets entries expire after a day', async () => {
    await using redis = createTestRedis()
    await createRedisPostCache(redis.client, { prefix: redis.prefix }).putMany([post(1)])
    const ttl = await redis.client.run((connected) => connected.ttl(`${redis.prefix}:post:1`))
    expect(ttl).toBeWithin(1, 24 * 3600 + 1)
  })
})
