import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { settingsRefusal } from '../testing/settings-refusal'
import type { Environment } from './environment'
import { loadSettings } from './load-settings'
import type { Settings } from './program-settings'
import { listSettings, type Role } from './settings'

const CA = join(import.meta.dir, '../testing/ca.pem')
const KEY = 'k'.repeat(32)
const MYSQL = 'mysql://sns:pw@db.example/sns'

interface Sample {
  readonly role: Role
  /** A value other than the default, what comes of it, and values that are refused. */
  readonly good: readonly (readonly [string, (settings: Settings) => unknown, unknown])[]
  readonly bad: readonly string[]
  readonly beside?: Environment
}

const SAMPLES: Readonly<Record<string, Sample>> = {
  WEB_HOST: {
    role: 'api',
    good: [
      ['0.0.0.0', (s) => s.address.host, '0.0.0.0'],
      ['::', (s) => s.address.host, '::'],
      ['[::1]', (s) => s.address.host, '::1'],
    ],
    bad: ['http://localhost', 'a b', 'localhost:80', '-x', '[localhost]'],
  },
  WEB_PORT: {
    role: 'api',
    good: [
      ['0', (s) => s.address.port, 0],
      [' 65535 ', (s) => s.address.port, 65_535],
    ],
    bad: ['80a', '-1', '65536', '1e3', '8000.5', '0x10', '99999999999'],
  },
  DATABASE_URL: {
    role: 'api',
    good: [['sqlite:x.db', (s) => s.database, { kind: 'sqlite', path: 'x.db', echo: false }]],
    bad: ['postgres://h/db', 'x.db', 'mysql://'],
  },
  DATABASE_PASSWORD: {
    role: 'api',
    beside: { DATABASE_URL: 'mysql://sns@db/sns', SECRET_KEY: KEY },
    good: [['p@:/%', (s) => 'password' in s.database && s.database.password, 'p@:/%']],
    bad: [],
  },
  DATABASE_READ_URLS: {
    role: 'api',
    beside: { DATABASE_URL: MYSQL, SECRET_KEY: KEY },
    good: [
      [
        'mysql://sns:a@one/sns, mysql://sns:b@two:3307/sns',
        (s) => s.replicas.map(({ host, port, password }) => [host, port, password]),
        [
          ['one', 3306, 'a'],
          ['two', 3307, 'b'],
        ],
      ],
    ],
    bad: ['sqlite:x.db', 'one', 'mysql://sns:a@one/other'],
  },
  DATABASE_ECHO: {
    role: 'api',
    good: [
      ['true', (s) => s.database.echo, true],
      ['False', (s) => s.database.echo, false],
    ],
    bad: ['yes', '1', 'tru'],
  },
  DATABASE_POOL_SIZE: {
    role: 'fanout-worker',
    beside: { DATABASE_URL: MYSQL },
    good: [['4', (s) => 'poolSize' in s.database && s.database.poolSize, 4]],
    bad: ['0', 'many', '1001'],
  },
  REDIS_HOST: {
    role: 'api',
    good: [
      ['cache', (s) => s.redis, { url: 'redis://cache:6379/0', ca: null }],
      ['::1', (s) => s.redis, { url: 'redis://[::1]:6379/0', ca: null }],
    ],
    bad: ['redis://cache', 'cache:6379'],
  },
  REDIS_PORT: {
    role: 'fanout-worker',
    good: [['6380', (s) => s.redis, { url: 'redis://127.0.0.1:6380/0', ca: null }]],
    bad: ['0', 'x', '70000'],
  },
  REDIS_DB: {
    role: 'api',
    good: [['3', (s) => s.redis, { url: 'redis://127.0.0.1:6379/3', ca: null }]],
    bad: ['-1', 'main'],
  },
  REDIS_URL: {
    role: 'api',
    good: [
      [
        'rediss://u:p%40@cache:6380/2',
        (s) => s.redis,
        { url: 'rediss://u:p%40@cache:6380/2', ca: null },
      ],
      ['redis://cache', (s) => s.redis, { url: 'redis://cache', ca: null }],
      [
        'rediss+cluster://u:p@a:1,b:2',
        (s) => s.redis,
        { cluster: ['rediss://u:p@a:1', 'rediss://u:p@b:2'], ca: null },
      ],
    ],
    bad: [
      'cache:6379',
      'http://cache',
      'redis://cache/main',
      'redis://',
      'redis://cache/0?x=1',
      'redis+cluster://',
      'redis+cluster://a/1',
    ],
  },
  REDIS_PASSWORD: {
    role: 'api',
    beside: { REDIS_URL: 'rediss+cluster://a:1,b:2' },
    good: [
      [
        'p@:/%',
        (s) => s.redis,
        { cluster: ['rediss://:p%40%3A%2F%25@a:1', 'rediss://:p%40%3A%2F%25@b:2'], ca: null },
      ],
    ],
    bad: [],
  },
  REDIS_CA: {
    role: 'api',
    beside: { REDIS_URL: 'rediss://cache' },
    good: [[CA, (s) => s.redis.ca, { path: CA, pem: readFileSync(CA, 'utf8') }]],
    bad: ['/nowhere/ca.pem', '/'],
  },
  KEY_PREFIX: {
    role: 'cdc-indexer',
    good: [['sns-2.test_a', (s) => s.keyPrefix, 'sns-2.test_a']],
    bad: ['SNS', '_a', 'a b', '{a}', 'x'.repeat(64)],
  },
  KAFKA_BROKERS: {
    role: 'cdc-indexer',
    good: [['a:9092, [::1]:9093,', (s) => s.kafka.brokers, ['a:9092', '[::1]:9093']]],
    bad: ['a', 'a:0', 'a:70000', 'a:9092,b', ',', 'kafka://a:9092'],
  },
  KAFKA_SSL: {
    role: 'cdc-indexer',
    good: [['True', (s) => s.kafka.tls, { ca: null }]],
    bad: ['yes', '1', 'ssl'],
  },
  KAFKA_CA: {
    role: 'migrate',
    beside: { KAFKA_SSL: 'true' },
    good: [[CA, (s) => s.kafka.tls, { ca: { path: CA, pem: readFileSync(CA, 'utf8') } }]],
    bad: ['/nowhere/ca.pem', '/'],
  },
  KAFKA_SASL_MECHANISM: {
    role: 'fanout-worker',
    beside: { KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' },
    good: [
      ['plain', (s) => s.kafka.sasl?.mechanism, 'plain'],
      ['SCRAM-SHA-256', (s) => s.kafka.sasl?.mechanism, 'scram-sha-256'],
      ['scram-sha-512', (s) => s.kafka.sasl?.mechanism, 'scram-sha-512'],
    ],
    bad: ['scram', 'gssapi', 'oauthbearer', 'scram-sha-1'],
  },
  KAFKA_SASL_USERNAME: {
    role: 'cdc-indexer',
    beside: { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'p' },
    good: [['a,b=c', (s) => s.kafka.sasl?.username, 'a,b=c']],
    bad: [],
  },
  KAFKA_SASL_PASSWORD: {
    role: 'migrate',
    beside: { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'u' },
    good: [[' p,=ß ', (s) => s.kafka.sasl?.password, ' p,=ß ']],
    bad: [],
  },
  KAFKA_PARTITIONS: {
    role: 'migrate',
    good: [['12', (s) => s.kafka.partitions, 12]],
    bad: ['0', '10001', 'x'],
  },
  KAFKA_REPLICATION: {
    role: 'migrate',
    good: [['3', (s) => s.kafka.replication, 3]],
    bad: ['0', '101', 'x'],
  },
  ES_HOST: {
    role: 'api',
    good: [['search', (s) => s.elasticsearch.urls[0], 'http://search:9200']],
    bad: ['https://search', 'search:9200'],
  },
  ES_PORT: {
    role: 'api',
    good: [['9201', (s) => s.elasticsearch.urls[0], 'http://127.0.0.1:9201']],
    bad: ['0', 'x'],
  },
  ES_ID: {
    role: 'cdc-indexer',
    beside: { ES_PASSWORD: ' p ' },
    good: [['elastic', (s) => s.elasticsearch.auth, { username: 'elastic', password: ' p ' }]],
    bad: [],
  },
  ES_PASSWORD: {
    role: 'cdc-indexer',
    beside: { ES_ID: 'elastic' },
    good: [['p', (s) => s.elasticsearch.auth, { username: 'elastic', password: 'p' }]],
    bad: [],
  },
  ES_VERIFY_SSL: {
    role: 'api',
    good: [['false', (s) => s.elasticsearch.verifySsl, false]],
    bad: ['no', '0'],
  },
  ES_URL: {
    role: 'api',
    good: [
      ['https://search:9243/', (s) => s.elasticsearch.urls[0], 'https://search:9243'],
      [
        'https://me:p%40ss@search/es/',
        (s) => s.elasticsearch,
        {
          urls: ['https://search/es'],
          ca: null,
          auth: { username: 'me', password: 'p@ss' },
          verifySsl: true,
          newIndex: { shards: 1, replicas: 0, refreshMs: 400 },
        },
      ],
    ],
    bad: [
      'search:9200',
      ',',
      'https://a:b@x,https://c:d@y',
      'https://x,y',
      'ftp://search',
      'http://',
      'http://a:%zz@search',
    ],
  },
  ES_API_KEY: {
    role: 'api',
    good: [['a2V5', (s) => s.elasticsearch.auth, { apiKey: 'a2V5' }]],
    bad: [],
  },
  ES_CA: {
    role: 'api',
    beside: { ES_URL: 'https://a/es,https://b/es' },
    good: [[CA, (s) => s.elasticsearch.ca, { path: CA, pem: readFileSync(CA, 'utf8') }]],
    bad: ['/nowhere/ca.pem', '/'],
  },
  ES_SHARDS: {
    role: 'cdc-indexer',
    good: [['3', (s) => s.elasticsearch.newIndex.shards, 3]],
    bad: ['0', '1025', '1.5', 'x'],
  },
  ES_REPLICAS: {
    role: 'cdc-indexer',
    good: [['1', (s) => s.elasticsearch.newIndex.replicas, 1]],
    bad: ['-1', 'x'],
  },
  ES_REFRESH_MS: {
    role: 'migrate',
    good: [['1000', (s) => s.elasticsearch.newIndex.refreshMs, 1_000]],
    bad: ['-1', '49', '60001', '1s', '400ms'],
  },
  CORS_ORIGINS: {
    role: 'api',
    good: [
      ['*', (s) => s.cors.origins, '*'],
      [
        'https://a.example, http://localhost:5173/',
        (s) => s.cors.origins,
        ['https://a.example', 'http://localhost:5173'],
      ],
    ],
    bad: ['a.example', 'https://a.example/path', '*,https://a.example', 'null', 'ftp://a'],
  },
  CORS_CREDENTIALS: {
    role: 'api',
    beside: { CORS_ORIGINS: 'https://a.example' },
    good: [['true', (s) => s.cors.credentials, true]],
    bad: ['on'],
  },
  CORS_METHODS: {
    role: 'api',
    good: [['get,POST', (s) => s.cors.methods, ['GET', 'POST']]],
    bad: ['FETCH', 'GET POST'],
  },
  CORS_HEADERS: {
    role: 'api',
    good: [['X-One, X-Two', (s) => s.cors.headers, ['X-One', 'X-Two']]],
    bad: ['X One', 'X:Y'],
  },
  SECRET_KEY: {
    role: 'api',
    good: [[KEY, (s) => s.secretKey, KEY]],
    bad: ['short', 'k'.repeat(31)],
  },
  PAGE_MEMORY_MIB: {
    role: 'api',
    good: [['256', (s) => s.pageMemoryMib, 256]],
    bad: ['0', '65537', 'x'],
  },
  EVENT_STREAMS: {
    role: 'api',
    good: [['50', (s) => s.eventStreams, 50]],
    bad: ['0', '-1', 'many'],
  },
  EVENT_MEMORY_MIB: {
    role: 'api',
    good: [['64', (s) => s.eventMemoryMib, 64]],
    bad: ['0', '65537', 'x'],
  },
  FEED_READS: {
    role: 'api',
    good: [['8', (s) => s.feedReads, 8]],
    bad: ['0', '-1', 'many'],
  },
  PULL_FOLLOWERS: {
    role: 'fanout-worker',
    good: [['500', (s) => s.pullFollowers, 500]],
    bad: ['0', 'many', '-1', '2000000000'],
  },
  SESSION_MAX_DAYS: {
    role: 'api',
    good: [['7', (s) => s.sessionMaxDays, 7]],
    bad: ['0', '1.5', '3651', 'x'],
  },
  API_PROCESSES: {
    role: 'api',
    good: [['4', (s) => s.apiProcesses, 4]],
    bad: ['0', '-1', '1.5', '257', 'x'],
  },
  DRAIN_DELAY: {
    role: 'api',
    good: [['0', (s) => s.drainDelay, 0]],
    bad: ['-1', '1.5', '301', 'x'],
  },
  RATE_LIMIT: {
    role: 'api',
    good: [
      ['off', (s) => s.rateLimits.isOn, false],
      ['on', (s) => s.rateLimits.isOn, true],
    ],
    bad: ['maybe', '5'],
  },
  RATE_LIMIT_LOGIN: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.logIn.quota, s.rateLimits.logIn.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_SIGNIN: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.signIn.quota, s.rateLimits.signIn.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_SIGNUP: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.signUp.quota, s.rateLimits.signUp.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_PASSWORD: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.password.quota, s.rateLimits.password.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_WRITE: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.write.quota, s.rateLimits.write.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_WRITE_ADDRESS: {
    role: 'api',
    good: [
      [
        '7/60',
        (s) => [s.rateLimits.writeByAddress.quota, s.rateLimits.writeByAddress.seconds],
        [7, 60],
      ],
    ],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_READ: {
    role: 'api',
    good: [['7/60', (s) => [s.rateLimits.read.quota, s.rateLimits.read.seconds], [7, 60]]],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  RATE_LIMIT_READ_ADDRESS: {
    role: 'api',
    good: [
      [
        '7/60',
        (s) => [s.rateLimits.readByAddress.quota, s.rateLimits.readByAddress.seconds],
        [7, 60],
      ],
    ],
    bad: ['0/60', '7', '7/0', '7/60/1', 'x/60', '7/1.5'],
  },
  TRUSTED_PROXIES: {
    role: 'api',
    good: [
      [
        '10.0.0.0/8, 2001:db8::1,loopback',
        (s) => s.trustedProxies,
        [
          { address: '10.0.0.0', prefix: 8 },
          { address: '2001:db8::1', prefix: 128 },
          { address: '127.0.0.0', prefix: 8 },
          { address: '::1', prefix: 128 },
        ],
      ],
    ],
    bad: ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/x', '1.2.3'],
  },
  PUBLIC_URL: {
    role: 'api',
    good: [
      ['https://sns.example/', (s) => s.publicUrl, 'https://sns.example'],
      ['http://[::1]:8000', (s) => s.publicUrl, 'http://[::1]:8000'],
    ],
    bad: [
      'sns.example',
      'https://sns.example/path',
      'https://a.example,https://b.example',
      'ftp://a',
    ],
  },
  LOG_LEVEL: {
    role: 'migrate',
    good: [
      ['debug', (s) => s.logLevel, 'debug'],
      ['WARN', (s) => s.logLevel, 'warn'],
    ],
    bad: ['verbose', '5'],
  },
  METRICS_PORT: {
    role: 'fanout-worker',
    good: [['9001', (s) => s.statusAddress.port, 9_001]],
    bad: ['x', '65536'],
  },
  OPERATOR_TOKEN: {
    role: 'api',
    good: [[KEY, (s) => s.operatorToken, KEY]],
    bad: ['short', 'k'.repeat(31)],
  },
}

test('every setting has its sample', () => {
  expect(Object.keys(SAMPLES)).toEqual(listSettings().map(({ name }) => name))
})

const samples = Object.entries(SAMPLES)

describe.each(samples)('%s', (name, { role, good, bad, beside }) => {
  const base = { ...beside }

  test.each(good.map((each) => [...each] as const))('takes %j', (text, pick, expected) => {
    expect(pick(loadSettings({ ...base, [name]: text }, { role }))).toEqual(expected)
  })

  test('the default is another value than the sample gives', () => {
    const pick = good[0]?.[1]
    expect(pick?.(loadSettings(base.DATABASE_URL ? base : {}, { role }))).not.toEqual(good[0]?.[2])
  })

  test('empty counts as unset', () => {
    // Where the others mean nothing without it, both are refused in the same words.
    const outcome = (env: Environment) => {
      try {
        return loadSettings(env, { role })
      } catch (error) {
        return String(error)
      }
    }
    expect(outcome({ ...base, [name]: '' })).toEqual(outcome(base))
  })

  for (const text of bad) {
    test(`refuses ${JSON.stringify(text)} in one line that names it`, () => {
      const { message, exitCode } = settingsRefusal({ ...base, [name]: text }, role)
      expect(exitCode).toBe(2)
      expect(message).toStartWith(`${name}`)
      expect(message).not.toContain('\n')
      expect(message).toMatch(/expected|not followed/)
      const isSecret = listSettings().some((setting) => setting.name === name && setting.secret)
      if (!isSecret) expect(message).toContain(`${name} is ${JSON.stringify(text.trim())}`)
    })
  }
})
