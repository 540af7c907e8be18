import {
  createRedisClient,
  type RedisClient,
  type RedisClientDeps,
  type RedisClientOptions,
} from '../adapters/redis/client'
import { createLogger } from '../observability/logger'
import { createMetrics } from '../observability/metrics'
import { testServers, uniqueName } from './servers'

/** A client with its own key prefix; its keys are removed when it is disposed of. */
export interface TestRedis extends AsyncDisposable {
  readonly client: RedisClient
  readonly prefix: string
  readonly metrics: ReturnType<typeof createMetrics>
  /** For a timeline store without a fence: one server, and everybody uses it. */
  confirmPush(): Promise<void>
}

export function createTestRedis(
  url: string = testServers.redis ?? '',
  options: Partial<RedisClientDeps & RedisClientOptions> = {},
): TestRedis {
  const metrics = createMetrics()
  const logger = createLogger('test', 'silent')
  const client = createRedisClient({ logger, metrics, ...options }, { url, ...options })
  const prefix = uniqueName('redis')
  return {
    client,
    prefix,
    metrics,
    async confirmPush() {},
    async [Symbol.asyncDispose]() {
      await client.everywhere(async (redis) => {
        const keys = await redis.keys(`${prefix}:*`)
        await Promise.all(keys.map((key) => redis.unlink(key)))
      })
      await client[Symbol.asyncDispose]()
    },
  }
}
