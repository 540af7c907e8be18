import {
  createElasticsearchClient,
  type ElasticsearchClient,
} from '../adapters/elasticsearch/client'
import type { NewIndexOptions } from '../adapters/elasticsearch/index-definitions'
import { migrateIndexes } from '../adapters/elasticsearch/migrate-indexes'
import { createLogger, type Logger } from '../observability/logger'
import { createMetrics, type Metrics } from '../observability/metrics'
import { testServers, uniqueName } from './servers'

/** As the settings have it by default. */
export const ONE_SHARD: NewIndexOptions = { shards: 1, replicas: 0, refreshMs: 400 }

export interface TestElasticsearch extends AsyncDisposable {
  readonly client: ElasticsearchClient
  readonly prefix: string
  readonly metrics: Metrics
}

interface TestClientOptions {
  readonly url?: string
  readonly logger?: Logger
  readonly metrics?: Metrics
}

export function testElasticsearchClient({
  url = testServers.elasticsearch ?? '',
  logger = createLogger('test', 'silent'),
  metrics = createMetrics(),
}: TestClientOptions = {}): ElasticsearchClient {
  return createElasticsearchClient(
    { urls: [url], ca: null, auth: null, verifySsl: true },
    { logger, metrics },
  )
}

interface TestElasticsearchOptions extends Pick<TestClientOptions, 'url' | 'logger'> {
  /** Whether its indexes are made. */
  readonly migrate?: boolean
  readonly newIndex?: NewIndexOptions
}

/** A client of the test server at `url`, with its own indexes, which are removed when it is disposed of. */
export async function createTestElasticsearch(
  options: TestElasticsearchOptions = {},
): Promise<TestElasticsearch> {
  const prefix = uniqueName('search')
  const metrics = createMetrics()
  const client = testElasticsearchClient({ ...options, metrics })
  const { migrate = true, newIndex = ONE_SHARD } = options
  if (migrate) await migrateIndexes(client, { prefix, newIndex })
  return {
    client,
    prefix,
    metrics,
    async [Symbol.asyncDispose]() {
      await dropIndexes(client, prefix)
      await client[Symbol.asyncDispose]()
    },
  }
}

export async function dropIndexes(client: ElasticsearchClient, prefix: string): Promise<void> {
  const found = await client.call((api, options) =>
    api.indices.get({ index: `${prefix}-*`, features: ['aliases'] }, options),
  )
  // By name: a server takes no pattern for what is to be deleted.
  for (const index of Object.keys(found)) {
    await client.call(
      (api, options) => api.indices.delete({ index, ignore_unavailable: true }, options),
      { timeoutMs: 30_000 },
    )
  }
}
