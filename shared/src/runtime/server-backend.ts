import type { KafkaClient } from '../adapters/kafka/client'
import type { MysqlSettings, Settings } from '../config/program-settings'
import { createIdGenerator } from '../domain/id'
import type { PostStore } from '../ports/post-store'
import type { Backend, BackendDeps } from './backend-ports'
import { optionalCheck } from './readiness'
import { createSqlStores } from './sql-stores'

export interface ServerSettings extends Settings {
  readonly database: MysqlSettings
}

/** How long a read of a feed waits for its turn. */
const FEED_WAIT_MS = 15_000

/**
 * MySQL, Redis, Kafka and Elasticsearch. MySQL must be there and migrated when it is first asked for;
 * the others are connected to in the background and may come later.
 */
export function createServerBackend(
  settings: ServerSettings,
  { logger, metrics, clock }: BackendDeps,
): Backend {
  const { database, keyPrefix: prefix } = settings
  const topics = { prefix, database: database.database }
  const opened = new AsyncDisposableStack()
  const ids = createIdGenerator({ clock })

  /** Says which server the other connections may lead to. */
  const watch = once(async () => {
    const { connectPrimaryWatch } = await import('../adapters/mysql/primary-watch')
    return opened.use(await connectPrimaryWatch({ logger, metrics }, database))
  })

  const mysql = once(async () => {
    const { connectMysql, createMysqlHealthCheck } = await import('../adapters/mysql/database')
    const { assertMigrated } = await import('../adapters/sql/migrate')
    const { echoTo } = await import('../adapters/sql/database')
    const { db: unwatched, primary } = await watch()
    await assertMigrated(unwatched)
    const { db } = opened.use(
      await connectMysql(database, {
        metrics,
        primary,
        onStatement: database.echo ? echoTo(logger) : null,
      }),
    )
    return { db, health: createMysqlHealthCheck(db), stores: createSqlStores(db, { clock, ids }) }
  })

  /** On connections of their own: readers without a timeline, however many, leave the others to writes. */
  const feedReads = once(async () => {
    const { connectMysql } = await import('../adapters/mysql/database')
    const { createSqlFeedReads } = await import('../adapters/sql/post-store')
    const { echoTo } = await import('../adapters/sql/database')
    const { createReplicaReads } = await import('../adapters/mysql/replica-reads')
    const { primary } = await watch()
    const { feedReads: poolSize, replicas: addresses } = settings
    const onStatement = database.echo ? echoTo(logger) : null
    const { db } = opened.use(
      await connectMysql(
        { ...database, poolSize },
        {
          metrics: { ...metrics, poolConnections: null },
          primary,
          onStatement,
          acquireTimeoutMs: FEED_WAIT_MS,
        },
      ),
    )
    const deps = { db, primary, logger, metrics }
    const replicas = opened.use(createReplicaReads(deps, { addresses, poolSize, onStatement }))
    return {
      ...createSqlFeedReads(db),
      // Ids alone: whether the reader may see their posts is decided by what is read of the primary.
      feedIds: (...args: Parameters<PostStore['feedIds']>) =>
        replicas.read((db) => createSqlFeedReads(db).feedIds(...args)),
    }
  })

  /** One connection that reads and pushes timelines and hears changes. */
  const redis = once(async () => {
    const { createRedisClient } = await import('../adapters/redis/client')
    const { createRedisClusterClient } = await import('../adapters/redis/cluster')
    const { createRedisTimelineStore } = await import('../adapters/redis/timeline-store')
    const { changeChannel, createRedisFreshness } = await import('../adapters/redis/freshness')
    const { createRedisRateLimiter } = await import('../adapters/redis/rate-limiter')
    const { createMemoryRateLimiter } = await import('../adapters/memory/rate-limiter')
    await mysql()
    const { fence } = await watch()
    const freshness = createRedisFreshness(
      { fence, logger, metrics },
      { channel: changeChannel(prefix) },
    )
    const deps = { logger, metrics, listener: freshness.listener }
    const client = opened.use(
      'cluster' in settings.redis
        ? createRedisClusterClient(deps, { urls: settings.redis.cluster, ca: settings.redis.ca })
        : createRedisClient(deps, settings.redis),
    )
    opened.use(freshness)
    freshness.start(client)
    await client.checkAccepted()
    const local = createMemoryRateLimiter()
    return {
      freshness,
      rateLimiters: {
        shared: createRedisRateLimiter({ client, alone: local }, { prefix }),
        local,
      },
      timelines: createRedisTimelineStore(
        { client, confirmPush: freshness.confirmPush },
        { prefix },
      ),
      health: client.health,
    }
  })

  const logSources = once(async () => {
    const { createMysqlLogSources } = await import('../adapters/mysql/log-sources')
    const { db } = await mysql()
    return createMysqlLogSources(db)
  })

  const written = async () => {
    const { readWrittenTopics } = await import('../adapters/mysql/written-topics')
    const { db } = await mysql()
    return await readWrittenTopics(db)
  }

  const kafka = once(async () => {
    const { checkKafkaAccepted, createKafkaClient, createKafkaHealthCheck } = await import(
      '../adapters/kafka/client'
    )
    const { createKafkaChangeLog } = await import('../adapters/kafka/change-log')
    const client: KafkaClient = createKafkaClient(settings.kafka, {
      clientId: prefix,
      logger,
      metrics,
    })
    await checkKafkaAccepted(client)
    return {
      client,
      changeLog: opened.use(
        createKafkaChangeLog(client, { ...topics, sources: logSources, written }),
      ),
      health: opened.use(createKafkaHealthCheck(client)),
    }
  })

  const elasticsearch = once(async () => {
    const { createElasticsearchClient } = await import('../adapters/elasticsearch/client')
    const { createElasticsearchSearchIndex } = await import(
      '../adapters/elasticsearch/search-index'
    )
    const { createElasticsearchGenerations } = await import(
      '../adapters/elasticsearch/index-generations'
    )
    const client = opened.use(
      createElasticsearchClient(settings.elasticsearch, { logger, metrics }),
    )
    const { newIndex } = settings.elasticsearch
    return {
      search: createElasticsearchSearchIndex(client, { prefix }),
      index: createElasticsearchGenerations(client, { prefix, newIndex }),
      health: client.health,
    }
  })

  const deadLetters = once(async () => {
    const { createKafkaDeadLetters } = await import('../adapters/kafka/dead-letters')
    const { client } = await kafka()
    return opened.use(createKafkaDeadLetters(client, topics))
  })

  const searchSource = once(async () => {
    const { createSqlSearchSource } = await import('../adapters/sql/search-source')
    const { db } = await mysql()
    return createSqlSearchSource(db)
  })

  return {
    jobs: [],
    ids,
    clock,
    async forApi() {
      const { stores, health } = await mysql()
      const { timelines, freshness, rateLimiters, health: redisHealth } = await redis()
      const { search, health: searchHealth } = await elasticsearch()
      return {
        ...stores,
        posts: { ...stores.posts, ...(await feedReads()) },
        timelines,
        freshness,
        rateLimiters,
        search,
        health: [health, optionalCheck(redisHealth), optionalCheck(searchHealth)],
      }
    },
    async forFanout() {
      const { stores, health } = await mysql()
      const { timelines, freshness, health: redisHealth } = await redis()
      const { changeLog, health: kafkaHealth } = await kafka()
      const { users, graph, posts, lanes, deliveryProgress, notifications, tags } = stores
      return {
        users,
        graph,
        posts,
        lanes,
        deliveryProgress,
        notifications,
        tags,
        timelines,
        announcer: freshness,
        changeLog,
        health: [health, redisHealth, kafkaHealth],
      }
    },
    async forCapture() {
      const { health } = await mysql()
      const { fence } = await watch()
      const { client, health: kafkaHealth } = await kafka()
      return { mysql: database, kafka: client, topics, fence, health: [health, kafkaHealth] }
    },
    async forIndex() {
      const { changeLog, health } = await kafka()
      const { index, health: searchHealth } = await elasticsearch()
      return {
        changeLog,
        index,
        deadLetters: await deadLetters(),
        health: [health, searchHealth],
      }
    },
    async forSearchVerify() {
      const { search } = await elasticsearch()
      return { search, source: await searchSource() }
    },
    async forReindex() {
      const { changeLog } = await kafka()
      const { index } = await elasticsearch()
      return {
        changeLog,
        index,
        deadLetters: await deadLetters(),
        source: await searchSource(),
      }
    },
    async forImport() {
      const { createSqlBulkLoader } = await import('../adapters/sql/bulk-loader')
      const { db, stores } = await mysql()
      const { users, graph } = stores
      return { loader: createSqlBulkLoader(db, { clock }), users, graph }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function once<Value>(open: () => Promise<Value>): () => Promise<Value> {
  let opening: Promise<Value> | null = null
  return () => {
    opening ??= open()
    return opening
  }
}
