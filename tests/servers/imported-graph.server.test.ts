import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import mysql, { type Connection } from 'mysql2/promise'
import {
  busiestFeedEqualsSql,
  countRows,
  expectFeedsEqualSql,
  expectWordsFound,
  importRealData,
  type Query,
  READERS,
  REAL_COUNTS,
  readWhileImporting,
  realData,
} from '../imported-graph'
import { type ServerSuite, startServerSuite } from '../server-suite'

/** More than the longest of its steps takes beside programs that keep every core busy. */
const WORK_MS = 900_000

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
    connection = await mysql.createConnection({
      uri: env().DATABASE_URL ?? '',
      supportBigNumbers: true,
      bigNumberStrings: true,
    })
    // The services are up while rows pour in, as they would be for an operator.
    let isOver = false
    const importing = importRealData(env()).finally(() => {
      isOver = true
    })
    const [feeds] = await Promise.all([
      readWhileImporting(running.suite.url, query, () => isOver),
      importing,
    ])
    expect(feeds).toBeGreaterThan(0)
  }, WORK_MS)
  afterAll(async () => {
    await connection?.end()
    await running?.[Symbol.asyncDispose]()
  }, 60_000)

  test('every row is there, though the import was killed half-way', async () => {
    expect(await countRows(query)).toEqual(REAL_COUNTS)
  })

  test(
    `the feeds of ${READERS} users equal plain SQL`,
    async () => {
      const { longest } = await expectFeedsEqualSql(running.suite.url, query)
      expect(longest).toBeGreaterThan(100)
    },
    WORK_MS,
  )

  test(
    'the feed of who follows the most, read all the while, has every post once they are delivered',
    async () => {
      await busiestFeedEqualsSql(running.suite.url, query, WORK_MS)
    },
    WORK_MS,
  )

  test(
    'every post is in the index; a common and a rare word are found',
    async () => {
      const indexed = async () => {
        const answer = await fetch(`${env().ES_URL}/${env().KEY_PREFIX}*posts*/_count`)
        return ((await answer.json()) as { count: number }).count
      }
      await eventually(async () => (await indexed()) === REAL_COUNTS.posts, { timeoutMs: WORK_MS })
      await expectWordsFound(running.suite.url, query)
    },
    WORK_MS,
  )
})
