import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import mysql, { type Connection } from 'mysql2/promise'
import {
  countRows,
  expectFeedsEqualSql,
  expectWordsFound,
  importRealData,
  type Query,
  REAL_COUNTS,
  realData,
} from '../imported-graph'
import { type ServerSuite, startServerSuite } from '../server-suite'

describe.skipIf(!hasAllTestServers || !realData)('a real graph, on the servers', () => {
  let running: ServerSuite
  let connection: Connection
  const query: Query = async (sql, parameters = []) => {
    const [rows] = await connection.query(sql, [...parameters])
    return rows as Record<string, unknown>[]
  }
  const env = () => running.names.env

  beforeAll(async () => {
    running = await startServerSuite()
    // The services are up while rows pour in, as they would be for an operator.
    await importRealData(env())
    connection = await mysql.createConnection({
      uri: env().DATABASE_URL ?? '',
      supportBigNumbers: true,
      bigNumberStrings: true,
    })
  }, 600_000)
  afterAll(async () => {
    await connection?.end()
    await running?.[Symbol.asyncDispose]()
  }, 60_000)

  test('every row is there, though the import was killed half-way', async () => {
    expect(await countRows(query)).toEqual(REAL_COUNTS)
  })

  test('the feeds of 200 users equal plain SQL', async () => {
    const { longest } = await expectFeedsEqualSql(running.suite.url, query, 200)
    expect(longest).toBeGreaterThan(100)
  }, 300_000)

  test('every post is in the index; a common and a rare word are found', async () => {
    const indexed = async () => {
      const answer = await fetch(`${env().ES_URL}/${env().KEY_PREFIX}*posts*/_count`)
      return ((await answer.json()) as { count: number }).count
    }
    await eventually(async () => (await indexed()) === REAL_COUNTS.posts, { timeoutMs: 240_000 })
    await expectWordsFound(running.suite.url, query)
  }, 300_000)
})
