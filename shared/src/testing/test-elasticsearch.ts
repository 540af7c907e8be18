import {
  createElasticsearchClient,
  type ElasticsearchClient,
} from '../adapters/elasticsearch/client'
import { indexDefinitions } from '../adapters/elasticsearch/index-definitions'
import { migrateIndexes } from '../adapters/elasticsearch/migrate-indexes'
import { createLogger, type Logger } from '../observability/logger'
import { createMetrics, type Metrics } from '../observability/metrics'
import { testServers, uniqueName } from './servers'

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
    { urls: [url], ca: null, auth: null, verifySsl: true, replicas: 0 },
    { logger, metrics },
  )
}

/** A client of the test server at `url`, with its own indexes, which are removed when it is disposed of. */
export async function createTestElasticsearch(
  options: { readonly url?: string; readonly migrate?: boolean; readonly logger?: Logger } = {},
): Promise<TestElasticsearch> {
  const prefix = uniqueName('search')
  const metrics = createMetrics()
  const client = testElasticsearchClient({ ...options, metrics })
  if (options.migrate ?? true) await migrateIndexes(client, { prefix, replicas: 0 })
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
  for (const { index } of indexDefinitions(prefix, 0)) {
    await client.call(
      (api, options) => api.indices.delete({ index, ignore_unavailable: true }, options),
      { timeoutMs: 30_000 },
    )
  }
}
