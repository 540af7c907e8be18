import { expect } from 'bun:test'
import { join } from 'node:path'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import Redis from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { freePort, spawnProgram } from '../scripts/process/program-process'
import { metric, type OddSuite, signUp } from './setting-effects'

/** A suite on the test servers, on `ODD_SETTINGS` and `ODD_SERVER_SETTINGS`. */
export interface OddServerSuite extends OddSuite {
  /** What its programs were given. */
  readonly env: Readonly<Record<string, string>>
}

export const ODD_SERVER_SETTINGS = {
  DATABASE_POOL_SIZE: '3',
  KAFKA_PARTITIONS: '3',
  ES_SHARDS: '2',
  ES_REPLICAS: '1',
  ES_REFRESH_MS: '350',
} as const satisfies Readonly<Record<string, string>>

type Effect = (suite: OddServerSuite) => Promise<void>

/** By the name of a setting that means something on the servers only: what is to be seen of it. */
export const SERVER_EFFECTS: Readonly<Record<string, Effect>> = {
  async DATABASE_POOL_SIZE({ url, statusUrl }) {
    const { token } = await signUp(url, 'pool')
    const headers = { authorization: `Bearer ${token}` }
    const names = Array.from({ length: 60 }, (_, n) => `nobody_${n}`)
    await Promise.all(names.map((name) => fetch(`${url}/v1/users/${name}`, { headers })))
    const open = async (state: string) => metric(statusUrl, 'sns_pool_connections', { state })
    expect((await open('busy')) + (await open('idle'))).toBe(3)
  },

  async DATABASE_READ_URLS({ url, statusUrl }) {
    await eventually(async () => {
      const { token } = await signUp(url, 'replica')
      await fetch(`${url}/v1/feed`, { headers: { authorization: `Bearer ${token}` } })
      return (await metric(statusUrl, 'sns_replica_reads_total', { answer: 'replica' })) > 0
    })
  },

  REDIS_URL: async ({ url, env }) => expect(await keptIn(env.REDIS_URL!, env, url)).toBeTrue(),
  KEY_PREFIX: async ({ url, env }) => expect(await keptIn(env.REDIS_URL!, env, url)).toBeTrue(),
  REDIS_HOST: redisParts,
  REDIS_PORT: redisParts,
  REDIS_DB: redisParts,

  async KAFKA_BROKERS({ env }) {
    expect((await partitions(env)).length).toBeGreaterThan(0)
  },
  async KAFKA_PARTITIONS({ env }) {
    expect(new Set(await partitions(env))).toEqual(new Set([3]))
  },
  async KAFKA_REPLICATION({ env }) {
    // One broker cannot hold two replicas.
    const prefix = `${env.KEY_PREFIX}-more`
    await using migrate = spawnProgram('migrate', [], {
      ...env,
      KEY_PREFIX: prefix,
      KAFKA_REPLICATION: '2',
    })
    expect(await migrate.exited).toBe(1)
    expect(migrate.output()).toMatch(/replication/i)
  },

  async ES_URL({ env }) {
    expect(Object.keys(await indexes(env)).length).toBeGreaterThan(0)
  },
  ES_SHARDS: ({ env }) => expectIndexes(env, { number_of_shards: '2' }),
  ES_REPLICAS: ({ env }) => expectIndexes(env, { number_of_replicas: '1' }),
  ES_REFRESH_MS: ({ env }) => expectIndexes(env, { refresh_interval: '350ms' }),
  ES_HOST: elasticsearchParts,
  ES_PORT: elasticsearchParts,
  ES_ID: elasticsearchUser,
  ES_PASSWORD: elasticsearchUser,
  async ES_VERIFY_SSL({ env }) {
    await using folder = await temporaryFolder()
    const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
    Bun.spawnSync(
      ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'].concat([
        ...['-subj', '/CN=odd.example', '-keyout', key, '-out', cert],
      ]),
    )
    const tls = { cert: Bun.file(cert), key: Bun.file(key) }
    const asked = async (verify: string) => {
      const requests = await searchesOf(env, { ES_VERIFY_SSL: verify }, tls)
      return requests.length > 0
    }
    expect([await asked('true'), await asked('false')]).toEqual([false, true])
  },
}

/** Whether somebody who reads a feed at the api leaves keys of the suite in that Redis. */
async function keptIn(
  redisUrl: string,
  { KEY_PREFIX: prefix }: OddServerSuite['env'],
  url: string,
): Promise<boolean> {
  const { client } = await signUp(url, 'kept')
  expect((await client.v1.feed.get()).status).toBe(200)
  const redis = new Redis(redisUrl)
  try {
    for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) return true
    }
    return false
  } finally {
    redis.disconnect()
  }
}

async function redisParts({ env }: OddServerSuite): Promise<void> {
  const { hostname, port } = new URL(env.REDIS_URL!)
  const more = { REDIS_URL: '', REDIS_HOST: hostname, REDIS_PORT: port, REDIS_DB: '7' }
  // A prefix of its own: where the database is not chosen, its keys are in another.
  const own = { ...env, ...more, KEY_PREFIX: `${env.KEY_PREFIX}-parts` }
  const redisUrl = `redis://${hostname}:${port}/7`
  await using api = await startApi(own)
  expect(await keptIn(redisUrl, own, api.url)).toBeTrue()
  const redis = new Redis(redisUrl)
  for await (const keys of redis.scanStream({ match: `*${own.KEY_PREFIX}*`, count: 1_000 })) {
    if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]))
  }
  redis.disconnect()
}

async function elasticsearchParts({ env }: OddServerSuite): Promise<void> {
  const { hostname, port } = new URL(env.ES_URL!)
  await using api = await startApi({ ...env, ES_URL: '', ES_HOST: hostname, ES_PORT: port })
  const { client } = await signUp(api.url, 'parts')
  expect((await client.v1.search.posts.get({ query: { q: 'odd' } })).status).toBe(200)
}

async function elasticsearchUser({ env }: OddServerSuite): Promise<void> {
  const requests = await searchesOf(env, { ES_ID: 'odd-user', ES_PASSWORD: 'odd-password' })
  expect(requests).toContain(`Basic ${btoa('odd-user:odd-password')}`)
}

/** What an Elasticsearch of the test's own is authorized with by an api with these settings. */
async function searchesOf(
  env: OddServerSuite['env'],
  settings: Readonly<Record<string, string>>,
  tls?: { readonly cert: Bun.BunFile; readonly key: Bun.BunFile },
): Promise<readonly (string | null)[]> {
  const seen: (string | null)[] = []
  await using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls && { tls }),
    fetch(request) {
      seen.push(request.headers.get('authorization'))
      return Response.json({}, { headers: { 'x-elastic-product': 'Elasticsearch' } })
    },
  })
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`
  await using api = await startApi({ ...env, ES_URL: origin, ...settings })
  const { client } = await signUp(api.url, 'searching')
  await client.v1.search.posts.get({ query: { q: 'odd' } })
  return seen
}

async function startApi(env: Readonly<Record<string, string>>) {
  const port = freePort()
  const url = `http://${env.WEB_HOST}:${port}`
  const program = spawnProgram('start', ['api'], {
    ...env,
    WEB_PORT: String(port),
    METRICS_PORT: '0',
  })
  await program.ready(url)
  return { url, [Symbol.asyncDispose]: () => program.crash() }
}

/** How many partitions each topic of the suite has. */
async function partitions(env: OddServerSuite['env']): Promise<readonly number[]> {
  const kafka = new Kafka({
    brokers: env.KAFKA_BROKERS!.split(','),
    logLevel: logLevel.NOTHING,
  })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const topics = (await admin.listTopics()).filter(
      (topic) => /\.(posts|users)$/.test(topic) && topic.startsWith(`${env.KEY_PREFIX}.`),
    )
    const metadata = await admin.fetchTopicMetadata({ topics })
    return metadata.topics.map((topic) => topic.partitions.length)
  } finally {
    await admin.disconnect()
  }
}

async function indexes(env: OddServerSuite['env']) {
  const answer = await fetch(`${env.ES_URL}/${env.KEY_PREFIX}*/_settings`)
  return (await answer.json()) as Record<string, { settings: { index: Record<string, unknown> } }>
}

async function expectIndexes(env: OddServerSuite['env'], wanted: Readonly<Record<string, string>>) {
  const found = Object.values(await indexes(env))
  expect(found.length).toBeGreaterThan(0)
  for (const { settings } of found) expect(settings.index).toMatchObject(wanted)
}
