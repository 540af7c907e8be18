import { databaseUrl, replicaUrls } from './database-url'
import { REQUEST_HEADERS } from './http-headers'
import * as parse from './parsers'
import { certificateFile } from './pem-file'

/** A program that reads settings. */
export type Reader = 'api' | 'fanout-worker' | 'cdc-indexer' | 'migrate'

/**
 * Who asks: a reader, `suite` for all services in one process, `import` for the loader, `backup` for what copies
 * the database and puts it back.
 */
export type Role = Reader | 'suite' | 'import' | 'backup'

/** One environment variable. Its place in `SETTINGS` is its name in code, its parser gives its type. */
export interface Setting<Value = unknown> {
  readonly name: string
  readonly summary: string
  readonly parse: parse.Parser<Value>
  /** Parsed where nothing is set; where programs differ, one a reader; null where there is none. */
  readonly default: string | DefaultByProgram | null
  /** `all`: every program. */
  readonly readBy: 'all' | readonly Reader[]
  /** Never logged, never given a default value in compose, and also taken from a file; see `secretFileSetting`. */
  readonly secret?: true
}

/** `others` is for every program that is not named. */
export type DefaultByProgram = Readonly<Partial<Record<Role, string>> & { others: string }>

export interface SettingTree {
  readonly [key: string]: Setting | SettingTree
}

/** Every environment variable the project reads, declared once; `scripts/settings-docs.ts` writes them down. */
export const SETTINGS = {
  web: {
    host: {
      name: 'WEB_HOST',
      summary: 'Address that a service listens on, for METRICS_PORT too',
      parse: parse.host,
      default: '127.0.0.1',
      readBy: ['api', 'fanout-worker', 'cdc-indexer'],
    },
    port: {
      name: 'WEB_PORT',
      summary: 'Port the api listens on',
      parse: parse.ownPort,
      default: '8000',
      readBy: ['api'],
    },
  },
  database: {
    url: {
      name: 'DATABASE_URL',
      summary:
        '`sqlite:PATH` runs embedded; `mysql://user:password@host:port/database` runs on the servers, encrypted with `?ssl-mode=verify_identity&ssl-ca=FILE`',
      parse: databaseUrl,
      default: 'sqlite:data/sns.db',
      readBy: 'all',
      secret: true,
    },
    password: {
      name: 'DATABASE_PASSWORD',
      summary: 'Password for the user of a `mysql://` DATABASE_URL that has none',
      parse: parse.text,
      default: null,
      readBy: 'all',
      secret: true,
    },
    readUrls: {
      name: 'DATABASE_READ_URLS',
      summary:
        'Replicas of the MySQL of DATABASE_URL, as a list of such URLs, each of one server: deep pages of feeds and rebuilt timelines are read there; where one has no password it is DATABASE_PASSWORD',
      parse: replicaUrls,
      default: null,
      readBy: ['api'],
      secret: true,
    },
    echo: {
      name: 'DATABASE_ECHO',
      summary: 'Log every SQL statement (true or false)',
      parse: parse.boolean,
      default: 'false',
      readBy: 'all',
    },
    poolSize: {
      name: 'DATABASE_POOL_SIZE',
      summary:
        'Maximum number of MySQL connections per process, beside two for the fence and FEED_READS of api',
      parse: parse.integer('a number', 1, 1_000),
      default: '16',
      readBy: 'all',
    },
  },
  redis: {
    host: {
      name: 'REDIS_HOST',
      summary: 'Redis host',
      parse: parse.host,
      default: '127.0.0.1',
      readBy: ['api', 'fanout-worker'],
    },
    port: {
      name: 'REDIS_PORT',
      summary: 'Redis port',
      parse: parse.port,
      default: '6379',
      readBy: ['api', 'fanout-worker'],
    },
    database: {
      name: 'REDIS_DB',
      summary: 'Redis database number',
      parse: parse.integer('a database number', 0, 9_999),
      default: '0',
      readBy: ['api', 'fanout-worker'],
    },
    url: {
      name: 'REDIS_URL',
      summary:
        'Redis as one URL; wins over the three above; `redis+cluster://host:port,host:port` for a Redis Cluster',
      parse: parse.redisUrl,
      default: null,
      readBy: ['api', 'fanout-worker'],
      secret: true,
    },
    password: {
      name: 'REDIS_PASSWORD',
      summary: 'Redis password, where REDIS_URL has none',
      parse: parse.text,
      default: null,
      readBy: ['api', 'fanout-worker'],
      secret: true,
    },
    ca: {
      name: 'REDIS_CA',
      summary:
        'File with the authorities, as PEM, that the certificate of a `rediss://` server is checked against; without it those that the system trusts',
      parse: certificateFile,
      default: null,
      readBy: ['api', 'fanout-worker'],
    },
  },
  keyPrefix: {
    name: 'KEY_PREFIX',
    summary: 'Prefix of Redis keys, Kafka topics, consumer groups and search indexes',
    parse: parse.keyPrefix,
    default: 'sns',
    readBy: 'all',
  },
  kafka: {
    brokers: {
      name: 'KAFKA_BROKERS',
      summary: 'Kafka bootstrap servers, `host:port,host:port`',
      parse: parse.brokers,
      default: '127.0.0.1:9092',
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
    },
    ssl: {
      name: 'KAFKA_SSL',
      summary: 'Encrypt the connections to Kafka (true or false)',
      parse: parse.boolean,
      default: 'false',
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
    },
    ca: {
      name: 'KAFKA_CA',
      summary:
        'File with the authorities, as PEM, that the certificates of the brokers are checked against; without it those that the system trusts',
      parse: certificateFile,
      default: null,
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
    },
    saslMechanism: {
      name: 'KAFKA_SASL_MECHANISM',
      summary:
        'How user and password are shown to Kafka: plain, scram-sha-256 or scram-sha-512; without it nobody signs in',
      parse: parse.oneOf(['plain', 'scram-sha-256', 'scram-sha-512']),
      default: null,
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
    },
    saslUsername: {
      name: 'KAFKA_SASL_USERNAME',
      summary: 'Kafka user',
      parse: parse.text,
      default: null,
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
    },
    saslPassword: {
      name: 'KAFKA_SASL_PASSWORD',
      summary: 'Kafka password',
      parse: parse.text,
      default: null,
      readBy: ['fanout-worker', 'cdc-indexer', 'migrate'],
      secret: true,
    },
    partitions: {
      name: 'KAFKA_PARTITIONS',
      summary: 'Partitions of the topics that migrate creates',
      parse: parse.integer('a number', 1, 10_000),
      default: '4',
      readBy: ['migrate'],
    },
    replication: {
      name: 'KAFKA_REPLICATION',
      summary: 'Replicas of the topics that migrate creates',
      parse: parse.integer('a number', 1, 100),
      default: '1',
      readBy: ['migrate'],
    },
  },
  elasticsearch: {
    host: {
      name: 'ES_HOST',
      summary: 'Elasticsearch host',
      parse: parse.host,
      default: '127.0.0.1',
      readBy: ['api', 'cdc-indexer', 'migrate'],
    },
    port: {
      name: 'ES_PORT',
      summary: 'Elasticsearch port',
      parse: parse.port,
      default: '9200',
      readBy: ['api', 'cdc-indexer', 'migrate'],
    },
    user: {
      name: 'ES_ID',
      summary: 'Elasticsearch user; `elastic` where only ES_PASSWORD is set',
      parse: parse.text,
      default: null,
      readBy: ['api', 'cdc-indexer', 'migrate'],
    },
    password: {
      name: 'ES_PASSWORD',
      summary: 'Elasticsearch password',
      parse: parse.text,
      default: null,
      readBy: ['api', 'cdc-indexer', 'migrate'],
      secret: true,
    },
    verifySsl: {
      name: 'ES_VERIFY_SSL',
      summary: 'Check the certificate of an https Elasticsearch (true or false)',
      parse: parse.boolean,
      default: 'true',
      readBy: ['api', 'cdc-indexer', 'migrate'],
    },
    url: {
      name: 'ES_URL',
      summary:
        'Elasticsearch as one URL, or several nodes of one cluster, comma-separated, each with its path; wins over ES_HOST and ES_PORT',
      parse: parse.elasticsearchUrls,
      default: null,
      readBy: ['api', 'cdc-indexer', 'migrate'],
      secret: true,
    },
    apiKey: {
      name: 'ES_API_KEY',
      summary:
        'Elasticsearch API key, encoded as its server gives it, in place of user and password',
      parse: parse.text,
      default: null,
      readBy: ['api', 'cdc-indexer', 'migrate'],
      secret: true,
    },
    ca: {
      name: 'ES_CA',
      summary:
        'File with the authorities, as PEM, that the certificate of an https Elasticsearch is checked against; without it those that the system trusts',
      parse: certificateFile,
      default: null,
      readBy: ['api', 'cdc-indexer', 'migrate'],
    },
    /** An index that is there keeps what it has: a new one, of `reindex` too, is made by these. */
    newIndex: {
      shards: {
        name: 'ES_SHARDS',
        summary:
          'Shards of each search index when it is made; `reindex` makes one with another number',
        parse: parse.integer('a number', 1, 1_024),
        default: '1',
        readBy: ['cdc-indexer', 'migrate'],
      },
      replicas: {
        name: 'ES_REPLICAS',
        summary: 'Copies of each shard of a search index beside the first, when it is made',
        parse: parse.integer('a number', 0, 100),
        default: '0',
        readBy: ['cdc-indexer', 'migrate'],
      },
      refreshMs: {
        name: 'ES_REFRESH_MS',
        summary:
          'Milliseconds until what is in a search index can be found, when it is made; longer spares Elasticsearch work',
        parse: parse.integer('milliseconds', 50, 60_000),
        default: '400',
        readBy: ['cdc-indexer', 'migrate'],
      },
    },
  },
  cors: {
    origins: {
      name: 'CORS_ORIGINS',
      summary: 'Origins that browsers may call from, comma-separated; `*` for any; empty for none',
      parse: parse.origins,
      default: '',
      readBy: ['api'],
    },
    credentials: {
      name: 'CORS_CREDENTIALS',
      summary: 'Let browsers send credentials (true or false); not with CORS_ORIGINS=*',
      parse: parse.boolean,
      default: 'false',
      readBy: ['api'],
    },
    methods: {
      name: 'CORS_METHODS',
      summary: 'Methods that browsers may use',
      parse: parse.methods,
      default: 'GET,POST,PUT,PATCH,DELETE',
      readBy: ['api'],
    },
    headers: {
      name: 'CORS_HEADERS',
      summary: 'Request headers that browsers may send',
      parse: parse.headers,
      default: REQUEST_HEADERS.join(','),
      readBy: ['api'],
    },
  },
  secretKey: {
    name: 'SECRET_KEY',
    summary:
      'Signs access tokens; 32 characters or more. Embedded mode creates one and keeps it beside the database',
    parse: parse.secretKey,
    default: null,
    readBy: ['api'],
    secret: true,
  },
  pageMemoryMib: {
    name: 'PAGE_MEMORY_MIB',
    summary:
      'Memory that one api process uses for pages, in MiB: about 500 bytes per post; per reader 1.5 KiB and 32 bytes per followee',
    parse: parse.integer('mebibytes', 1, 65_536),
    default: '128',
    readBy: ['api'],
  },
  eventStreams: {
    name: 'EVENT_STREAMS',
    summary:
      'Clients that may listen to events of one api process at once, each about 25 KiB of memory',
    parse: parse.integer('a number', 1, 1_000_000),
    default: '10000',
    readBy: ['api'],
  },
  eventMemoryMib: {
    name: 'EVENT_MEMORY_MIB',
    summary:
      'Memory that one api process uses to know whose posts concern whom of those who listen, in MiB: 24 bytes per listener and followee, 160 per author; beyond it a listener hears of posts within 30 seconds',
    parse: parse.integer('mebibytes', 1, 65_536),
    default: '128',
    readBy: ['api'],
  },
  feedReads: {
    name: 'FEED_READS',
    summary:
      'Feeds that one api process reads from the database at once, where no cached timeline has them; on MySQL so many connections beside DATABASE_POOL_SIZE are for these reads alone',
    parse: parse.integer('a number', 1, 100),
    default: '4',
    readBy: ['api'],
  },
  pullFollowers: {
    name: 'PULL_FOLLOWERS',
    summary:
      'Followers above which the posts of an author are merged at read, not fanned out; back below four fifths of it',
    parse: parse.integer('a number', 1, 1_000_000_000),
    default: '10000',
    readBy: ['fanout-worker'],
  },
  sessionMaxDays: {
    name: 'SESSION_MAX_DAYS',
    summary: 'Days after which a new session ends, however often it is refreshed',
    parse: parse.integer('days', 1, 3_650),
    default: '90',
    readBy: ['api'],
  },
  apiProcesses: {
    name: 'API_PROCESSES',
    summary:
      'Processes that start api runs on one port, to use several cores; process n has METRICS_PORT + n - 1. Memory and DATABASE_POOL_SIZE are of each',
    parse: parse.integer('a number', 1, 256),
    default: '1',
    readBy: ['api'],
  },
  drainDelay: {
    name: 'DRAIN_DELAY',
    summary:
      'Seconds that a stopping api is not ready but still answers, so that a proxy can route requests elsewhere',
    parse: parse.integer('seconds', 0, 300),
    default: '5',
    readBy: ['api'],
  },
  rateLimits: {
    isOn: {
      name: 'RATE_LIMIT',
      summary: 'on, or off for load tests',
      parse: parse.onOff,
      default: 'on',
      readBy: ['api'],
    },
    logIn: {
      name: 'RATE_LIMIT_LOGIN',
      summary: 'Sign-ins that one address may try with one username, as number/seconds',
      parse: parse.rateLimit('login'),
      default: '10/300',
      readBy: ['api'],
    },
    signIn: {
      name: 'RATE_LIMIT_SIGNIN',
      summary: 'Sign-ins, refreshes and sign-outs by one address',
      parse: parse.rateLimit('signin'),
      default: '100/300',
      readBy: ['api'],
    },
    signUp: {
      name: 'RATE_LIMIT_SIGNUP',
      summary: 'Sign-ups by one address',
      parse: parse.rateLimit('signup'),
      default: '20/3600',
      readBy: ['api'],
    },
    password: {
      name: 'RATE_LIMIT_PASSWORD',
      summary: 'Changes of the password and deletions that one account may try',
      parse: parse.rateLimit('password'),
      default: '10/3600',
      readBy: ['api'],
    },
    write: {
      name: 'RATE_LIMIT_WRITE',
      summary:
        'Writes by one account: posts, follows, likes and every other request that is not a read',
      parse: parse.rateLimit('write'),
      default: '300/60',
      readBy: ['api'],
    },
    writeByAddress: {
      name: 'RATE_LIMIT_WRITE_ADDRESS',
      summary: 'Writes by one address',
      parse: parse.rateLimit('write-address'),
      default: '1200/60',
      readBy: ['api'],
    },
    read: {
      name: 'RATE_LIMIT_READ',
      summary: 'Reads by one account, counted by each api process separately',
      parse: parse.rateLimit('read'),
      default: '1200/60',
      readBy: ['api'],
    },
    readByAddress: {
      name: 'RATE_LIMIT_READ_ADDRESS',
      summary: 'Reads by one address, counted by each api process separately',
      parse: parse.rateLimit('read-address'),
      default: '6000/60',
      readBy: ['api'],
    },
  },
  trustedProxies: {
    name: 'TRUSTED_PROXIES',
    summary:
      'Proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are trusted: addresses, networks (`10.0.0.0/8`) and `loopback`, comma-separated; none by default',
    parse: parse.networks,
    default: '',
    readBy: ['api'],
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    summary:
      'Origin that links carry, such as `https://sns.example.org`; where unset, the one that a request was sent to',
    parse: parse.origin,
    default: null,
    readBy: ['api'],
  },
  logLevel: {
    name: 'LOG_LEVEL',
    summary: 'trace, debug, info, warn, error, fatal or silent',
    parse: parse.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    readBy: 'all',
  },
  metricsPort: {
    name: 'METRICS_PORT',
    summary: 'Port for operators: /livez, /readyz with every store, /metrics. Do not expose it',
    parse: parse.ownPort,
    default: { 'fanout-worker': '8001', 'cdc-indexer': '8002', others: '8003' },
    readBy: ['api', 'fanout-worker', 'cdc-indexer'],
  },
  operatorToken: {
    name: 'OPERATOR_TOKEN',
    summary:
      'What `feeds verify --memory` must give at METRICS_PORT; 32 characters or more. Without it that port compares memory for this machine alone',
    parse: parse.secretKey,
    default: null,
    readBy: ['api', 'fanout-worker', 'cdc-indexer'],
    secret: true,
  },
} as const satisfies SettingTree

/** What parsing a tree of settings gives: the same tree of values, null where nothing is set. */
export type Values<Tree> = {
  readonly [Key in keyof Tree]: Tree[Key] extends Setting<infer Value>
    ? Tree[Key] extends { readonly default: string | DefaultByProgram }
      ? Value
      : Value | null
    : Values<Tree[Key]>
}

/** What was read of all of them, each by itself; see `combineSettings`. */
export type SettingValues = Values<typeof SETTINGS>

/** The settings of a tree, in the order of their declaration. */
export function listSettings(tree: SettingTree = SETTINGS): Setting[] {
  return Object.values(tree).flatMap((each) => (isSetting(each) ? [each] : listSettings(each)))
}

/** The variable that names a file with the value of a secret, in place of the variable that holds it. */
export function secretFileSetting(name: string): string {
  return `${name}_FILE`
}

export function isSetting(node: Setting | SettingTree): node is Setting {
  return typeof node.parse === 'function'
}
