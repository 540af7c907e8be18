/** A program that reads settings. */
export type Reader = 'api' | 'fanout-worker' | 'cdc-indexer' | 'migrate'

export interface Setting {
  readonly summary: string
  /** Shown in docs and `.env.example`; null where there is none. */
  readonly default: string | null
  /** `all`: every program. */
  readonly readBy: 'all' | readonly Reader[]
  /** Never logged, and never given a default value in compose. */
  readonly secret?: true
}

/** Every environment variable the project reads, declared once. */
export const SETTINGS = {
  WEB_HOST: {
    summary: 'Address that a service listens on, a worker for its METRICS_PORT',
    default: '127.0.0.1',
    readBy: ['api', 'fanout-worker', 'cdc-indexer'],
  },
  WEB_PORT: { summary: 'Port the api listens on', default: '8000', readBy: ['api'] },
  DATABASE_URL: {
    summary:
      '`sqlite:PATH` runs embedded; `mysql://user:password@host:port/database` runs on the servers',
    default: 'sqlite:data/sns.db',
    readBy: 'all',
    secret: true,
  },
  DATABASE_ECHO: {
    summary: 'Log every SQL statement (true or false)',
    default: 'false',
    readBy: 'all',
  },
  DATABASE_POOL_SIZE: {
    summary: 'Most MySQL connections of one process',
    default: '16',
    readBy: 'all',
  },
  REDIS_HOST: { summary: 'Redis host', default: '127.0.0.1', readBy: ['api', 'fanout-worker'] },
  REDIS_PORT: { summary: 'Redis port', default: '6379', readBy: ['api', 'fanout-worker'] },
  REDIS_DB: { summary: 'Redis database number', default: '0', readBy: ['api', 'fanout-worker'] },
  REDIS_URL: {
    summary: 'Redis as one URL; wins over the three above',
    default: null,
    readBy: ['api', 'fanout-worker'],
    secret: true,
  },
  KEY_PREFIX: {
    summary: 'Prefix of Redis keys, Kafka topics, consumer groups and search indexes',
    default: 'sns',
    readBy: 'all',
  },
  KAFKA_BROKERS: {
    summary: 'Kafka bootstrap servers, `host:port,host:port`',
    default: '127.0.0.1:9092',
    readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
  },
  KAFKA_PARTITIONS: {
    summary: 'Partitions of a topic that migrate makes',
    default: '4',
    readBy: ['migrate'],
  },
  KAFKA_REPLICATION: {
    summary: 'Replicas of a topic that migrate makes',
    default: '1',
    readBy: ['migrate'],
  },
  ES_HOST: {
    summary: 'Elasticsearch host',
    default: '127.0.0.1',
    readBy: ['api', 'cdc-indexer', 'migrate'],
  },
  ES_PORT: {
    summary: 'Elasticsearch port',
    default: '9200',
    readBy: ['api', 'cdc-indexer', 'migrate'],
  },
  ES_ID: {
    summary: 'Elasticsearch user; `elastic` where only ES_PASSWORD is set',
    default: null,
    readBy: ['api', 'cdc-indexer', 'migrate'],
  },
  ES_PASSWORD: {
    summary: 'Elasticsearch password',
    default: null,
    readBy: ['api', 'cdc-indexer', 'migrate'],
    secret: true,
  },
  ES_VERIFY_SSL: {
    summary: 'Check the certificate of an https Elasticsearch (true or false)',
    default: 'true',
    readBy: ['api', 'cdc-indexer', 'migrate'],
  },
  ES_URL: {
    summary: 'Elasticsearch as one URL; wins over ES_HOST and ES_PORT',
    default: null,
    readBy: ['api', 'cdc-indexer', 'migrate'],
    secret: true,
  },
  ES_REPLICAS: {
    summary: 'Replicas of an index that migrate makes',
    default: '0',
    readBy: ['migrate'],
  },
  CORS_ORIGINS: {
    summary: 'Origins that browsers may call from, comma-separated; `*` for any; empty for none',
    default: '',
    readBy: ['api'],
  },
  CORS_CREDENTIALS: {
    summary: 'Let browsers send credentials (true or false); not with CORS_ORIGINS=*',
    default: 'false',
    readBy: ['api'],
  },
  CORS_METHODS: {
    summary: 'Methods that browsers may use',
    default: 'GET,POST,PUT,PATCH,DELETE',
    readBy: ['api'],
  },
  CORS_HEADERS: {
    summary: 'Request headers that browsers may send',
    default: 'Authorization,Content-Type,Idempotency-Key,X-Request-Id',
    readBy: ['api'],
  },
  SECRET_KEY: {
    summary:
      'Signs access tokens; 32 characters or more. Embedded mode makes one and keeps it beside the database',
    default: null,
    readBy: ['api'],
    secret: true,
  },
  LOG_LEVEL: {
    summary: 'trace, debug, info, warn, error, fatal or silent',
    default: 'info',
    readBy: 'all',
  },
  METRICS_PORT: {
    summary:
      "Port of a worker's own /livez, /readyz and /metrics; fanout-worker 8001, cdc-indexer 8002",
    default: null,
    readBy: ['fanout-worker', 'cdc-indexer'],
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
