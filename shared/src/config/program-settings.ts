import type { MysqlAddress, SqliteAddress } from './database-url'
import { SettingProblem, urlHost, withRedisPassword } from './parsers'
import type { Role, SettingValues } from './settings'

/** The settings of a program: read from the environment once, typed and frozen. */
export type Settings = ReturnType<typeof combineSettings>
export type LogLevel = Settings['logLevel']

/** An address to listen on. */
export interface Address {
  readonly host: string
  readonly port: number
  /** The setting that an error message names if the port cannot be used. */
  readonly portSetting: 'WEB_PORT' | 'METRICS_PORT'
  /** Whether other processes of the same program listen there too. */
  readonly isShared?: boolean
}

export type DatabaseSettings = SqliteSettings | MysqlSettings

export interface SqliteSettings extends SqliteAddress {
  readonly echo: boolean
}

export interface MysqlSettings extends MysqlAddress {
  readonly echo: boolean
  readonly poolSize: number
}

/**
 * The values as a program uses them: those that mean something only together are put together. Throws
 * a `SettingProblem` that names the setting where they contradict each other.
 */
export function combineSettings(values: SettingValues, role: Role) {
  const { web, metricsPort, ...others } = values
  const database = databaseOf(values.database)
  return {
    ...others,
    address: { ...web, portSetting: 'WEB_PORT' } satisfies Address,
    statusAddress: {
      host: web.host,
      port: metricsPort,
      portSetting: 'METRICS_PORT',
    } satisfies Address,
    database,
    replicas: replicasOf(values.database, database),
    redis: redisOf(values.redis),
    kafka: kafkaOf(values.kafka),
    elasticsearch: elasticsearchOf(values.elasticsearch),
    cors: corsOf(values.cors),
    secretKey: secretKeyOf(values.secretKey, database, role),
  }
}

function databaseOf({
  url,
  password,
  echo,
  poolSize,
}: Omit<SettingValues['database'], 'readUrls'>): DatabaseSettings {
  if (password === null)
    return url.kind === 'sqlite' ? { ...url, echo } : { ...url, echo, poolSize }
  if (url.kind === 'sqlite') {
    throw new SettingProblem(
      'DATABASE_PASSWORD is set, and SQLite has no users: expected a DATABASE_URL that begins with mysql://',
    )
  }
  if (url.password !== '') {
    throw new SettingProblem(
      'DATABASE_PASSWORD is set, and DATABASE_URL has a password too: expected one of them',
    )
  }
  return { ...url, password, echo, poolSize }
}

function replicasOf(
  { readUrls, password }: SettingValues['database'],
  primary: DatabaseSettings,
): readonly MysqlAddress[] {
  if (readUrls === null) return []
  if (primary.kind === 'sqlite') {
    throw new SettingProblem(
      'DATABASE_READ_URLS is set, and SQLite has no replicas: expected a DATABASE_URL that begins with mysql://',
    )
  }
  for (const { database } of readUrls) {
    if (database === primary.database) continue
    throw new SettingProblem(
      `DATABASE_READ_URLS names the database ${database}: expected ${primary.database}, as in DATABASE_URL`,
    )
  }
  return readUrls.map((each) => ({ ...each, password: each.password || (password ?? '') }))
}

function redisOf({ url, host, port, database, password, ca }: SettingValues['redis']) {
  const named = url ?? { url: `redis://${urlHost(host)}:${port}/${database}` }
  const server = password === null ? named : withRedisPassword(named, password)
  const [first] = 'cluster' in server ? server.cluster : [server.url]
  if (ca !== null && !first.startsWith('rediss:')) {
    throw new SettingProblem(
      'REDIS_CA is set, and nothing is encrypted: expected a REDIS_URL that begins with rediss:// or rediss+cluster://',
    )
  }
  return { ...server, ca }
}

function kafkaOf({
  ssl,
  ca,
  saslMechanism: mechanism,
  saslUsername: username,
  saslPassword: password,
  ...others
}: SettingValues['kafka']) {
  if (ca !== null && !ssl) {
    throw new SettingProblem(
      'KAFKA_CA is set, and nothing is encrypted: expected KAFKA_SSL=true beside it',
    )
  }
  const tls = ssl ? { ca } : null
  if (mechanism !== null && username !== null && password !== null) {
    return { ...others, tls, sasl: { mechanism, username, password } }
  }
  const parts = Object.entries({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
  })
  const given = parts.find(([, value]) => value !== null)
  const missing = parts.find(([, value]) => value === null)
  if (given && missing) {
    throw new SettingProblem(
      `${missing[0]} is missing: ${given[0]} is set, and signing in takes all three of ${parts.map(([name]) => name).join(', ')}`,
    )
  }
  return { ...others, tls, sasl: null }
}

function elasticsearchOf({
  host,
  port,
  url,
  user,
  password,
  apiKey,
  ca,
  ...others
}: SettingValues['elasticsearch']) {
  if (user !== null && password === null) {
    throw new SettingProblem('ES_PASSWORD is missing: ES_ID is set and needs a password')
  }
  // A password alone is of the user that every Elasticsearch has.
  const auth = password === null ? null : { username: user ?? 'elastic', password }
  if (apiKey !== null && (auth !== null || url?.auth)) {
    throw new SettingProblem(
      'ES_API_KEY is set, and so is a password: expected one of them (ES_PASSWORD, or the one in ES_URL)',
    )
  }
  const urls = url?.urls ?? ([`http://${urlHost(host)}:${port}`] as const)
  if (ca !== null && !urls.every((each) => each.startsWith('https:'))) {
    throw new SettingProblem(
      'ES_CA is set, and not everything is encrypted: expected an ES_URL of https:// alone',
    )
  }
  const named = user === null ? (url?.auth ?? auth) : auth
  return { ...others, urls, ca, auth: apiKey === null ? named : { apiKey } }
}

function corsOf(cors: SettingValues['cors']): SettingValues['cors'] {
  if (cors.origins === '*' && cors.credentials) {
    throw new SettingProblem(
      'CORS_CREDENTIALS is "true": not with CORS_ORIGINS=*, which would let any site act for its visitors; list the origins',
    )
  }
  return cors
}

/** Null only in embedded mode, where the api makes a key and keeps it, and where none is read. */
function secretKeyOf(
  secretKey: SettingValues['secretKey'],
  database: DatabaseSettings,
  role: Role,
): string | null {
  if (secretKey === null && database.kind === 'mysql' && (role === 'api' || role === 'suite')) {
    throw new SettingProblem(
      'SECRET_KEY is missing: it signs access tokens and has no default outside embedded mode; `openssl rand -hex 32` makes one',
    )
  }
  return secretKey
}
