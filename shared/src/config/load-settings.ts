import { OperatorError } from '../errors/operator-error'
import { type Reader, SETTINGS, type Setting, type SettingName } from './catalogue'
import { databaseUrl } from './database-url'
import type { Environment } from './environment'
import { SettingProblem } from './setting-problem'
import * as values from './setting-values'
import type { DatabaseSettings, Settings } from './settings'

/** Who asks: a program of the catalogue, `suite` for all services in one, `import` for the loader. */
export type Role = Reader | 'suite' | 'import'

/**
 * Reads what `role` needs; the settings it does not read have their defaults, whatever the environment
 * says. An empty variable counts as unset. Throws an `OperatorError` of exit code 2 whose one line
 * names the first variable that is wrong or missing, and never shows a secret.
 */
export function loadSettings(env: Environment, options: { readonly role: Role }): Settings {
  const { role } = options

  function optional<Value>(name: SettingName, parse: values.Parser<Value>): Value | null {
    const setting: Setting = SETTINGS[name]
    const given = isRead(setting, role) ? env[name] : undefined
    const text = (setting.secret ? given : given?.trim()) || setting.default
    if (text === null) return null
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof SettingProblem)) throw error
      const found = setting.secret ? '' : ` is ${JSON.stringify(text.slice(0, 100))}`
      throw wrong(`${name}${found}: ${error.message}`)
    }
  }

  function required<Value>(name: SettingName, parse: values.Parser<Value>): Value {
    const value = optional(name, parse)
    if (value === null) throw wrong(`${name} is missing: ${SETTINGS[name].summary}`)
    return value
  }

  const database = readDatabase(required)
  return deepFreeze({
    web: { host: required('WEB_HOST', values.host), port: required('WEB_PORT', values.port) },
    database,
    redis: readRedis(optional, required),
    keyPrefix: required('KEY_PREFIX', values.keyPrefix),
    kafka: {
      brokers: required('KAFKA_BROKERS', values.brokers),
      partitions: required('KAFKA_PARTITIONS', values.integer('a number', 1, 10_000)),
      replication: required('KAFKA_REPLICATION', values.integer('a number', 1, 100)),
    },
    elasticsearch: readElasticsearch(optional, required),
    cors: readCors(required),
    secretKey: readSecretKey(optional, database, role),
    logLevel: required('LOG_LEVEL', values.logLevel),
    metricsPort: optional('METRICS_PORT', values.port),
  })
}

type Optional = <Value>(name: SettingName, parse: values.Parser<Value>) => Value | null
type Required = <Value>(name: SettingName, parse: values.Parser<Value>) => Value

function isRead(setting: Setting, role: Role): boolean {
  if (setting.readBy === 'all') return true
  if (role === 'import') return false
  return role === 'suite'
    ? setting.readBy.some((reader) => reader !== 'migrate')
    : setting.readBy.includes(role)
}

function readDatabase(required: Required): DatabaseSettings {
  const address = required('DATABASE_URL', databaseUrl)
  const echo = required('DATABASE_ECHO', values.boolean)
  const poolSize = required('DATABASE_POOL_SIZE', values.integer('a number', 1, 1_000))
  return address.kind === 'sqlite' ? { ...address, echo } : { ...address, echo, poolSize }
}

function readRedis(optional: Optional, required: Required): Settings['redis'] {
  const host = values.urlHost(required('REDIS_HOST', values.host))
  const port = required('REDIS_PORT', values.integer('a port', 1, 65_535))
  const database = required('REDIS_DB', values.integer('a database number', 0, 9_999))
  return { url: optional('REDIS_URL', values.redisUrl) ?? `redis://${host}:${port}/${database}` }
}

function readElasticsearch(optional: Optional, required: Required): Settings['elasticsearch'] {
  const host = values.urlHost(required('ES_HOST', values.host))
  const port = required('ES_PORT', values.integer('a port', 1, 65_535))
  const whole = optional('ES_URL', values.elasticsearchUrl)
  const username = optional('ES_ID', (text) => text)
  const password = optional('ES_PASSWORD', (text) => text)
  if (username !== null && password === null) {
    throw wrong('ES_PASSWORD is missing: ES_ID is set and needs a password')
  }
  // The `.env` of compose has the password alone: its user is the one that every Elasticsearch has.
  const auth = password === null ? null : { username: username ?? 'elastic', password }
  return {
    url: whole?.url ?? `http://${host}:${port}`,
    auth: username === null ? (whole?.auth ?? auth) : auth,
    verifySsl: required('ES_VERIFY_SSL', values.boolean),
    replicas: required('ES_REPLICAS', values.integer('a number', 0, 100)),
  }
}

function readCors(required: Required): Settings['cors'] {
  const origins = required('CORS_ORIGINS', values.origins)
  const credentials = required('CORS_CREDENTIALS', values.boolean)
  if (origins === '*' && credentials) {
    throw wrong(
      'CORS_CREDENTIALS is "true": not with CORS_ORIGINS=*, which would let any site act for its visitors; list the origins',
    )
  }
  return {
    origins,
    credentials,
    methods: required('CORS_METHODS', values.methods),
    headers: required('CORS_HEADERS', values.headers),
  }
}

function readSecretKey(optional: Optional, database: DatabaseSettings, role: Role): string | null {
  const key = optional('SECRET_KEY', values.secretKey)
  if (key === null && database.kind === 'mysql' && (role === 'api' || role === 'suite')) {
    throw wrong(
      'SECRET_KEY is missing: it signs access tokens and has no default outside embedded mode; `openssl rand -hex 32` makes one',
    )
  }
  return key
}

function wrong(message: string): OperatorError {
  return new OperatorError(message, 2)
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}
