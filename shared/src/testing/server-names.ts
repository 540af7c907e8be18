import { Client } from '@elastic/elasticsearch'
import Redis from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import mysql from 'mysql2/promise'
import { FetchConnection } from '../adapters/elasticsearch/fetch-connection'
import type { MysqlAddress } from '../config/database-url'
import { testServers, uniqueName } from './servers'

/** Unique names on the real servers, as settings. Everything created under them is removed at the end. */
export interface ServerNames extends AsyncDisposable {
  readonly database: string
  readonly env: Readonly<Record<string, string>>
  /** Where the database is, as `env` says. */
  readonly mysql: Omit<MysqlAddress, 'kind'>
}

/** Makes an empty database, on this MySQL; topics, keys and indexes get their names from the prefix. */
export async function createServerNames(mysqlUrl = testServers.mysql): Promise<ServerNames> {
  const { redis, kafka, elasticsearch } = testServers
  if (!mysqlUrl || !redis || !kafka || !elasticsearch) {
    throw new Error('needs all four TEST_… variables')
  }
  const name = uniqueName('suite')
  const admin = await mysql.createConnection(mysqlUrl)
  await admin.query(`create database ${name}`)
  await admin.end()
  const { hostname: host, port, username: user, password } = new URL(mysqlUrl)
  return {
    database: name,
    mysql: { host, port: Number(port), user, password, database: name, tls: null },
    env: {
      DATABASE_URL: `${mysqlUrl}/${name}`,
      REDIS_URL: redis,
      KAFKA_BROKERS: kafka,
      ES_URL: elasticsearch,
      KEY_PREFIX: name,
      SECRET_KEY: crypto.randomUUID() + crypto.randomUUID(),
      LOG_LEVEL: 'info',
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([
        dropDatabase(mysqlUrl, name),
        dropKeys(redis, name),
        dropTopics(kafka, name),
        dropIndexes(elasticsearch, name),
      ])
    },
  }
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const connection = await mysql.createConnection(url)
  await connection.query(`drop database if exists ${name}`)
  await connection.end()
}

async function dropKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url)
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await redis.unlink(...(keys as string[]))
  }
  redis.disconnect()
}

async function dropTopics(brokers: string, prefix: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`))
  if (topics.length > 0) await admin.deleteTopics({ topics })
  const { groups } = await admin.listGroups()
  const own = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix))
  // A group may still count members that were just killed; such a group expires on its own.
  await admin.deleteGroups(own).catch(() => {})
  await admin.disconnect()
}

async function dropIndexes(url: string, prefix: string): Promise<void> {
  const client = new Client({ node: url, Connection: FetchConnection })
  await client.indices.delete({ index: `${prefix}*`, ignore_unavailable: true })
  await client.close()
}
