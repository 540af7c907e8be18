import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@sns/shared/testing/eventually'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import {
  countRows,
  expectFeedsEqualSql,
  expectWordsFound,
  importRealData,
  type Query,
  READERS,
  REAL_COUNTS,
  realData,
} from '../imported-graph'

/** More than the longest of its steps takes beside programs that keep every core busy. */
const WORK_MS = 900_000

describe.skipIf(!realData)('a real graph, embedded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sns-imported-'))
  const port = freePort()
  const metricsPort = freePort()
  const url = `http://127.0.0.1:${port}`
  let program: ProgramProcess
  let database: Database
  const query: Query = async (sql, parameters = []) =>
    database.query<Record<string, unknown>, number[]>(sql).all(...parameters)

  beforeAll(async () => {
    const env = {
      DATABASE_URL: `sqlite:${folder}/sns.db`,
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
    }
    await importRealData(env)
    program = spawnProgram('start', [], env)
    await program.ready(url)
    database = new Database(`${folder}/sns.db`, { readonly: true })
  }, WORK_MS)
  afterAll(async () => {
    database?.close()
    await program?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  test('every row is there, though the import was killed half-way', async () => {
    expect(await countRows(query)).toEqual(REAL_COUNTS)
  })

  test(
    `the feeds of ${READERS} users equal plain SQL`,
    async () => {
      const { longest } = await expectFeedsEqualSql(url, query)
      expect(longest).toBeGreaterThan(100)
    },
    WORK_MS,
  )

  test(
    'a common and a rare word are found once the log is read',
    async () => {
      const backlog = async () => {
        const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
        return /sns_consumer_backlog\{group="[^"]*index"\} (\d+)/.exec(text)?.[1]
      }
      await eventually(async () => (await backlog()) === '0', { timeoutMs: WORK_MS })
      await expectWordsFound(url, query)
    },
    WORK_MS,
  )
})
