import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { settingsRefusal } from '../testing/settings-refusal'
import { temporaryFolder } from '../testing/temporary-folder'
import type { Environment } from './environment'
import { loadSettings } from './load-settings'
import { listSettings, type Role, secretFileSetting } from './settings'

const sasl = {
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_SASL_USERNAME: 'odd user',
  KAFKA_SASL_PASSWORD: 'odd password',
}

const MYSQL = 'mysql://sns:pw@db.example/sns'

describe('what is read', () => {
  const roles: readonly Role[] = ['api', 'fanout-worker', 'cdc-indexer', 'migrate']

  test.each(roles)('%s reads exactly the settings declared for it', (role) => {
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
    const expected = listSettings()
      .filter(({ readBy }) => readBy === 'all' || readBy.includes(role as 'api'))
      .flatMap(({ name, secret }) => (secret ? [name, secretFileSetting(name)] : [name]))
    expect([...asked].sort()).toEqual(expected.sort())
  })

  test('a setting of another program may be wrong', () => {
    expect(loadSettings({ CORS_METHODS: 'x' }, { role: 'fanout-worker' }).cors.methods).toContain(
      'GET',
    )
    expect(loadSettings({ REDIS_PORT: 'x' }, { role: 'import' }).redis).toEqual({
      url: 'redis://127.0.0.1:6379/0',
      ca: null,
    })
  })

  test('settings cannot be changed', () => {
    const settings = loadSettings({ KAFKA_BROKERS: 'a:1,b:2' }, { role: 'suite' })
    expect(Object.isFrozen(settings.address)).toBe(true)
    expect(Object.isFrozen(settings.kafka.brokers)).toBe(true)
  })
})

describe('settings that depend on each other', () => {
  test.each([
    ['fanout-worker', 8_001],
    ['cdc-indexer', 8_002],
    ['api', 8_003],
    ['suite', 8_003],
  ] as const)('%s answers operators on %d, which METRICS_PORT changes', (role, port) => {
    const address = { host: '127.0.0.1', port, portSetting: 'METRICS_PORT' } as const
    expect(loadSettings({}, { role }).statusAddress).toEqual(address)
    const chosen = loadSettings({ WEB_PORT: '1', METRICS_PORT: '2' }, { role })
    expect(chosen.statusAddress.port).toBe(2)
  })

  test.each(['api', 'suite'] as const)('%s answers clients on WEB_PORT', (role) => {
    const address = { host: '127.0.0.1', port: 8_000, portSetting: 'WEB_PORT' } as const
    expect(loadSettings({}, { role }).address).toEqual(address)
    expect(loadSettings({ WEB_PORT: '1' }, { role }).address.port).toBe(1)
  })

  test('replicas are of the database, and have its password where they name none', () => {
    const replicas = {
      DATABASE_URL: 'mysql://sns@db/sns',
      DATABASE_PASSWORD: 'pw',
      DATABASE_READ_URLS: 'mysql://sns@one/sns,mysql://sns:own@two/sns',
      SECRET_KEY: 'k'.repeat(32),
    }
    const settings = loadSettings(replicas, { role: 'api' })
    expect(settings.replicas.map(({ password }) => password)).toEqual(['pw', 'own'])
    for (const DATABASE_URL of ['sqlite:x.db', 'mysql://sns:pw@db/other']) {
      const { DATABASE_READ_URLS, SECRET_KEY } = replicas
      const { message } = settingsRefusal({ DATABASE_URL, DATABASE_READ_URLS, SECRET_KEY }, 'api')
      expect(message).toStartWith('DATABASE_READ_URLS')
    }
  })

  test('a server database needs a SECRET_KEY where tokens are signed, and only there', () => {
    const env = { DATABASE_URL: MYSQL }
    expect(settingsRefusal(env, 'api').message).toStartWith('SECRET_KEY is missing')
    expect(settingsRefusal(env, 'suite').message).toStartWith('SECRET_KEY is missing')
    expect(loadSettings(env, { role: 'migrate' }).secretKey).toBeNull()
    expect(loadSettings({}, { role: 'api' }).secretKey).toBeNull()
  })

  test('an authority for a Redis in the clear is refused', () => {
    const REDIS_CA = join(import.meta.dir, '../testing/ca.pem')
    for (const REDIS_URL of ['', 'redis://cache', 'redis+cluster://a:1,b:2']) {
      expect(settingsRefusal({ REDIS_URL, REDIS_CA }, 'api').message).toStartWith('REDIS_CA is set')
    }
  })

  test('an authority for a Kafka in the clear is refused', () => {
    const KAFKA_CA = join(import.meta.dir, '../testing/ca.pem')
    for (const KAFKA_SSL of ['', 'false']) {
      const { message } = settingsRefusal({ KAFKA_SSL, KAFKA_CA }, 'migrate')
      expect(message).toStartWith('KAFKA_CA is set')
    }
  })

  test.each(Object.keys(sasl))('nobody signs in to Kafka without %s', (missing) => {
    for (const KAFKA_SSL of ['true', 'false']) {
      const { message, exitCode } = settingsRefusal(
        { ...sasl, KAFKA_SSL, [missing]: '' },
        'migrate',
      )
      expect(exitCode).toBe(2)
      expect(message).toStartWith(`${missing} is missing`)
      expect(message).not.toContain('odd')
    }
    const { kafka } = loadSettings({ ...sasl, [missing]: '' }, { role: 'api' })
    expect(kafka.sasl).toBeNull()
  })

  test.each(Object.entries(sasl))('%s alone is refused', (name, value) => {
    const { message } = settingsRefusal({ [name]: value }, 'cdc-indexer')
    expect(message).toMatch(/^KAFKA_SASL_\w+ is missing/)
    expect(message).not.toContain('odd')
  })

  test('any origin with credentials is refused', () => {
    const { message } = settingsRefusal({ CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' })
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
    expect(settingsRefusal({ ES_ID: 'u' }).message).toStartWith('ES_PASSWORD is missing')
    const env = { ES_URL: 'http://a:b@search', ES_ID: 'u', ES_PASSWORD: 'p' }
    expect(loadSettings(env, { role: 'api' }).elasticsearch).toMatchObject({
      urls: ['http://search'],
      auth: { username: 'u', password: 'p' },
    })
  })
})

test('Elasticsearch is told an API key or a password, and an authority for https alone', () => {
  const ES_CA = join(import.meta.dir, '../testing/ca.pem')
  for (const env of [
    { ES_PASSWORD: 'p' },
    { ES_URL: 'https://a:b@search' },
    { ES_ID: 'u', ES_PASSWORD: 'p' },
  ]) {
    const { message } = settingsRefusal({ ...env, ES_API_KEY: 'k' }, 'api')
    expect(message).toStartWith('ES_API_KEY is set')
  }
  for (const ES_URL of ['', 'http://search', 'https://a,http://b']) {
    expect(settingsRefusal({ ES_URL, ES_CA }, 'api').message).toStartWith('ES_CA is set')
  }
})

test('a password stands in one place, where something asks for it', () => {
  for (const [DATABASE_URL, why] of [
    [MYSQL, 'DATABASE_URL has a password too'],
    ['sqlite:x.db', 'SQLite has no users'],
  ]) {
    const { message } = settingsRefusal({ DATABASE_URL, DATABASE_PASSWORD: 'pw' }, 'migrate')
    expect(message).toStartWith('DATABASE_PASSWORD is set')
    expect(message).toContain(why!)
  }
  for (const REDIS_URL of ['redis://:pw@cache', 'redis+cluster://u:pw@a:1,b:2']) {
    const { message } = settingsRefusal({ REDIS_URL, REDIS_PASSWORD: 'pw' }, 'fanout-worker')
    expect(message).toStartWith('REDIS_PASSWORD is set')
  }
  const { redis } = loadSettings({ REDIS_PASSWORD: 'p w' }, { role: 'fanout-worker' })
  expect(redis).toMatchObject({ url: 'redis://:p%20w@127.0.0.1:6379/0' })
})

describe('every secret may stand in a file', () => {
  const secrets = listSettings().filter(({ secret }) => secret)
  const values: Readonly<Record<string, string>> = {
    DATABASE_URL: MYSQL,
    DATABASE_READ_URLS: MYSQL,
    REDIS_URL: 'redis://:pw@cache',
    ES_URL: 'https://u:pw@search',
  }

  test.each(secrets)('$name', async ({ name }) => {
    await using folder = await temporaryFolder()
    const role: Role = 'suite'
    const { [name]: _, ...beside }: Record<string, string> = {
      SECRET_KEY: 'k'.repeat(32),
      ...(name.startsWith('KAFKA_SASL') && { ...sasl }),
      ...(name === 'DATABASE_PASSWORD' && { DATABASE_URL: 'mysql://sns@db/sns' }),
      ...(name === 'DATABASE_READ_URLS' && { DATABASE_URL: MYSQL }),
    }
    const path = join(folder.path, 'secret')
    const [file, text] = [secretFileSetting(name), values[name] ?? ' s'.repeat(20)]
    const given = loadSettings({ ...beside, [name]: text }, { role })
    for (const end of ['', '\n', '\r\n']) {
      await Bun.write(path, text + end)
      expect(loadSettings({ ...beside, [file]: path }, { role })).toEqual(given)
    }

    const refusal = (env: Environment) => {
      const { message, exitCode } = settingsRefusal(env, role)
      expect(exitCode).toBe(2)
      expect(message).toStartWith(file)
      expect(message).not.toContain('\n')
      expect(message).not.toContain(text)
      return message
    }
    expect(refusal({ [file]: path, [name]: text })).toContain(`and ${name} are both set`)
    await Bun.write(path, '\n')
    expect(refusal({ [file]: path })).toContain('is empty')
    expect(refusal({ [file]: join(folder.path, 'none') })).toContain('ENOENT')
    expect(refusal({ [file]: folder.path })).toContain('EISDIR')
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
    expect(settingsRefusal({ [name]: text }).message).not.toContain('hunter2')
  })

  test('stay one line and short, whatever the value holds', () => {
    const { message } = settingsRefusal({ WEB_HOST: `a\nb${'x'.repeat(10_000)}` })
    expect(message).not.toContain('\n')
    expect(message.length).toBeLessThan(300)
  })
})
