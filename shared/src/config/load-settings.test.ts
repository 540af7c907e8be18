import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { OperatorError } from '../errors/operator-error'
import { SETTINGS, type Setting, type SettingName } from './catalogue'
import { renderEnvExample } from './env-example'
import type { Environment } from './environment'
import { loadSettings, type Role } from './load-settings'
import type { Settings } from './settings'

const KEY = 'k'.repeat(32)
const MYSQL = 'mysql://sns:pw@db.example/sns'

function refusal(env: Environment, role: Role = 'suite'): OperatorError {
  try {
    loadSettings(env, { role })
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}

interface Sample {
  readonly role: Role
  /** A value other than the default, what comes of it, and values that are refused. */
  readonly good: readonly (readonly [string, (settings: Settings) => unknown, unknown])[]
  readonly bad: readonly string[]
  readonly beside?: Environment
}

const SAMPLES: Record<SettingName, Sample> = {
  WEB_HOST: {
    role: 'api',
    good: [
      ['0.0.0.0', (s) => s.web.host, '0.0.0.0'],
      ['::', (s) => s.web.host, '::'],
      ['[::1]', (s) => s.web.host, '::1'],
    ],
    bad: ['http://localhost', 'a b', 'localhost:80', '-x', '[localhost]'],
  },
  WEB_PORT: {
    role: 'api',
    good: [
      ['0', (s) => s.web.port, 0],
      [' 65535 ', (s) => s.web.port, 65_535],
    ],
    bad: ['80a', '-1', '65536', '1e3', '8000.5', '0x10', '99999999999'],
  },
  DATABASE_URL: {
    role: 'api',
    good: [['sqlite:x.db', (s) => s.database, { kind: 'sqlite', path: 'x.db', echo: false }]],
    bad: ['postgres://h/db', 'x.db', 'mysql://'],
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
      ['cache', (s) => s.redis.url, 'redis://cache:6379/0'],
      ['::1', (s) => s.redis.url, 'redis://[::1]:6379/0'],
    ],
    bad: ['redis://cache', 'cache:6379'],
  },
  REDIS_PORT: {
    role: 'fanout-worker',
    good: [['6380', (s) => s.redis.url, 'redis://127.0.0.1:6380/0']],
    bad: ['0', 'x', '70000'],
  },
  REDIS_DB: {
    role: 'api',
    good: [['3', (s) => s.redis.url, 'redis://127.0.0.1:6379/3']],
    bad: ['-1', 'main'],
  },
  REDIS_URL: {
    role: 'api',
    good: [
      ['rediss://u:p%40@cache:6380/2', (s) => s.redis.url, 'rediss://u:p%40@cache:6380/2'],
      ['redis://cache', (s) => s.redis.url, 'redis://cache'],
    ],
    bad: ['cache:6379', 'http://cache', 'redis://cache/main', 'redis://', 'redis://cache/0?x=1'],
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
    good: [['search', (s) => s.elasticsearch.url, 'http://search:9200']],
    bad: ['https://search', 'search:9200'],
  },
  ES_PORT: {
    role: 'api',
    good: [['9201', (s) => s.elasticsearch.url, 'http://127.0.0.1:9201']],
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
      ['https://search:9243/', (s) => s.elasticsearch.url, 'https://search:9243'],
      [
        'https://me:p%40ss@search/es/',
        (s) => s.elasticsearch,
        {
          url: 'https://search/es',
          auth: { username: 'me', password: 'p@ss' },
          verifySsl: true,
          replicas: 0,
        },
      ],
    ],
    bad: ['search:9200', 'ftp://search', 'http://', 'http://a:%zz@search'],
  },
  ES_REPLICAS: {
    role: 'migrate',
    good: [['1', (s) => s.elasticsearch.replicas, 1]],
    bad: ['-1', 'x'],
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
    good: [['9001', (s) => s.metricsPort, 9_001]],
    bad: ['x', '65536'],
  },
}

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
    const mine = { ...base, ES_ID: '', ES_PASSWORD: '', [name]: '' }
    expect(loadSettings(mine, { role })).toEqual(
      loadSettings({ ...base, ES_ID: '', ES_PASSWORD: '' }, { role }),
    )
  })

  for (const text of bad) {
    test(`refuses ${JSON.stringify(text)} in one line that names it`, () => {
      const { message, exitCode } = refusal({ ...base, [name]: text }, role)
      expect(exitCode).toBe(2)
      expect(message).toStartWith(`${name}`)
      expect(message).not.toContain('\n')
      expect(message).toMatch(/expected|not followed/)
      const setting: Setting = SETTINGS[name as SettingName]
      if (!setting.secret) expect(message).toContain(`${name} is ${JSON.stringify(text.trim())}`)
    })
  }
})

describe('what is read', () => {
  const roles: readonly Role[] = ['api', 'fanout-worker', 'cdc-indexer', 'migrate']

  test.each(roles)('%s reads exactly the settings that the catalogue gives it', (role) => {
    const asked = new Set<string>()
    const env = new Proxy<Record<string, string>>(
      {},
      {
        get(_, name) {
          asked.add(String(name))
          return undefined
        },
      },
    )
    loadSettings(env, { role })
    const expected = Object.entries<Setting>(SETTINGS)
      .filter(([, setting]) => setting.readBy === 'all' || setting.readBy.includes(role as 'api'))
      .map(([name]) => name)
    expect([...asked].sort()).toEqual(expected.sort())
  })

  test('a setting of another program may be wrong', () => {
    expect(loadSettings({ WEB_PORT: 'x' }, { role: 'fanout-worker' }).web.port).toBe(8_000)
    expect(loadSettings({ REDIS_PORT: 'x' }, { role: 'import' }).redis.url).toContain(':6379')
  })

  test('settings cannot be changed', () => {
    const settings = loadSettings({ KAFKA_BROKERS: 'a:1,b:2' }, { role: 'suite' })
    expect(Object.isFrozen(settings.web)).toBe(true)
    expect(Object.isFrozen(settings.kafka.brokers)).toBe(true)
  })
})

describe('settings that depend on each other', () => {
  test('a server database needs a SECRET_KEY where tokens are signed, and only there', () => {
    const env = { DATABASE_URL: MYSQL }
    expect(refusal(env, 'api').message).toStartWith('SECRET_KEY is missing')
    expect(refusal(env, 'suite').message).toStartWith('SECRET_KEY is missing')
    expect(loadSettings(env, { role: 'migrate' }).secretKey).toBeNull()
    expect(loadSettings({}, { role: 'api' }).secretKey).toBeNull()
  })

  test('any origin with credentials is refused', () => {
    const { message } = refusal({ CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' })
    expect(message).toStartWith('CORS_CREDENTIALS is "true": not with CORS_ORIGINS=*')
  })

  test('a password for Elasticsearch without a user is that of elastic, and not for a URL with its own', () => {
    const auth = (env: Environment) => loadSettings(env, { role: 'api' }).elasticsearch.auth
    expect(auth({ ES_PASSWORD: 'p' })).toEqual({ username: 'elastic', password: 'p' })
    expect(auth({ ES_PASSWORD: 'p', ES_URL: 'http://a:b@search' })).toEqual({
      username: 'a',
      password: 'b',
    })
  })

  test('a user of Elasticsearch wants a password, and the two win over those of the URL', () => {
    expect(refusal({ ES_ID: 'u' }).message).toStartWith('ES_PASSWORD is missing')
    const env = { ES_URL: 'http://a:b@search', ES_ID: 'u', ES_PASSWORD: 'p' }
    expect(loadSettings(env, { role: 'api' }).elasticsearch).toMatchObject({
      url: 'http://search',
      auth: { username: 'u', password: 'p' },
    })
  })
})

describe('refusals', () => {
  const secret = 'hunter2hunter2'

  test.each([
    ['DATABASE_URL', `postgres://sns:${secret}@db/sns`],
    ['DATABASE_URL', `mysql://sns:${secret}@db`],
    ['DATABASE_URL', `mysql://sns:${secret}/x@db/sns`],
    ['DATABASE_URL', `mysql://sns:${secret}%@db/sns`],
    ['DATABASE_URL', `mysql://sns:${secret}#@db/sns`],
    ['DATABASE_URL', `mysql://sns:${secret}@db/sns?ssl=${secret}`],
    ['REDIS_URL', `redis://:${secret}@cache/x`],
    ['ES_URL', `ftp://u:${secret}@search`],
    ['SECRET_KEY', secret],
  ])('of %s show no secret', (name, text) => {
    expect(refusal({ [name]: text }).message).not.toContain('hunter2')
  })

  test('stay one line and short, whatever the value holds', () => {
    const { message } = refusal({ WEB_HOST: `a\nb${'x'.repeat(10_000)}` })
    expect(message).not.toContain('\n')
    expect(message.length).toBeLessThan(300)
  })
})

describe('.env.example', () => {
  const file = Bun.file(join(import.meta.dir, '../../../.env.example'))

  test('is what the catalogue says (bun scripts/env-example.ts writes it)', async () => {
    expect(await file.text()).toBe(renderEnvExample())
  })

  test('uncommented, changes nothing', async () => {
    const lines = (await file.text()).matchAll(/^# ([A-Z_]+)=(.*)$/gm)
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
    expect(Object.keys(env)).toEqual(Object.keys(SETTINGS))
    expect(loadSettings(env, { role: 'suite' })).toEqual(loadSettings({}, { role: 'suite' }))
  })
})
