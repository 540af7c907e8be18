import { describe, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import { createRedisTimelineStore } from '@sns/shared/adapters/redis/timeline-store'
import { TIMELINE_LIMITS } from '@sns/shared/domain/timeline'
import { testServers } from '@sns/shared/testing/servers'
import { createTestRedis } from '@sns/shared/testing/test-redis'
import { checkFeedProperty, type Outage } from '../../testing/feed-property'
import { openTestApi } from '../../testing/test-api'
import { unreliableFreshness, unreliableTimelines } from '../../testing/unreliable-stores'

describe.skipIf(!testServers.mysql || !testServers.redis)('on MySQL and Redis', () => {
  test('whatever happens, a feed is what the rows say', async () => {
    const outage: Outage = { isDown: () => false }
    await using redis = createTestRedis()
    const limits = { ...TIMELINE_LIMITS, cap: 5, slack: 2 }
    await using api = await openTestApi({
      database: 'mysql',
      maxWaiting: 4,
      caches: {
        timelines: createRedisTimelineStore(redis, { prefix: redis.prefix, limits }),
        freshness: createMemoryFreshness(),
      },
      wrap: (deps) => ({
        ...deps,
        timelines: unreliableTimelines(deps.timelines, () => outage.isDown()),
        freshness: unreliableFreshness(deps.freshness, () => outage.isDown()),
      }),
    })
    await checkFeedProperty(api, outage, { runs: 12 })
  }, 120_000)
})
