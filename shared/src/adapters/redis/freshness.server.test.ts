import { describe } from 'bun:test'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { eventually } from '../../testing/eventually'
import { freshnessConformance } from '../../testing/freshness-conformance'
import { createMemoryFreshnessFence } from '../../testing/memory-freshness-fence'
import { testServers, uniqueName } from '../../testing/servers'
import { createTestRedis } from '../../testing/test-redis'
import { createRedisFreshness } from './freshness'

/** Short, so that the fence opens soon. */
const TIMES = { leaseMs: 200, pollMs: 20 }

describe.skipIf(!testServers.redis)('on Redis', () => {
  freshnessConformance('RedisFreshness', async () => {
    const opened = new AsyncDisposableStack()
    const fence = createMemoryFreshnessFence(() => performance.now())
    const channel = uniqueName('changes')
    const deps = { fence, logger: createLogger('test', 'silent'), metrics: createMetrics() }
    const processes = Array.from({ length: 3 }, () => {
      const freshness = createRedisFreshness(deps, { channel, ...TIMES })
      const redis = opened.use(createTestRedis(undefined, { listener: freshness.listener }))
      opened.use(freshness)
      freshness.start(redis.client)
      return freshness
    })
    await eventually(async () => processes.every((process) => process.belief() !== null), {
      what: 'all believe',
    })
    return { processes, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  })
})
