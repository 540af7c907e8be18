import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createCapture } from '@sns/cdc-indexer/capture/capture'
import { createMysqlBinlogSource } from '@sns/cdc-indexer/capture/mysql/binlog-source'
import { createMysqlCheckpointStore } from '@sns/cdc-indexer/capture/mysql/checkpoint-store'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { createFakePublisher, createNoSnapshots } from '@sns/cdc-indexer/capture/testing/fakes'
import { systemClock } from '@sns/shared/domain/clock'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { stack } from '@sns/shared/testing/stack'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

if (hasAllTestServers && !stack) {
  console.log("SKIPPED: a server's logs may be reset only where it is ours: ../shared/stack/stack")
}

/** More than were captured before, so that the numbers of the old history are all there again. */
const WRITES = 80

describe.skipIf(!hasAllTestServers || !stack)('logs that are reset while capture is down', () => {
  let names: ServerNames
  let mysql: MysqlSession
  beforeAll(async () => {
    names = await createServerNames()
    mysql = createMysqlSession(names.mysql)
    // A short history, so that the one after the next reset soon has all of its numbers.
    await mysql.query('RESET BINARY LOGS AND GTIDS')
    await using migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  })
  afterAll(async () => {
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  function startCapture() {
    const port = freePort()
    return spawnProgram('start', ['cdc-indexer'], { ...names.env, METRICS_PORT: String(port) })
  }

  /** Captures the next posts to a log in memory, which needs no time to settle, and saves the checkpoint. */
  async function captureSome(count: number): Promise<void> {
    const publisher = createFakePublisher()
    const logger = createLogger('test', 'silent')
    const metrics = createMetrics()
    await using source = createMysqlBinlogSource({ server: names.mysql, logger, metrics })
    const checkpoints = createMysqlCheckpointStore(names.mysql)
    const clock = systemClock
    const capture = createCapture({
      source,
      checkpoints,
      publisher,
      snapshots: createNoSnapshots(),
      metrics,
      logger,
      clock,
    })
    const stop = new AbortController()
    const captured = capture.run(stop.signal)
    for (let id = 1; id <= count; id += 1) await mysql.query(insertPosts([id]))
    await eventually(() => publisher.acknowledged.length === count)
    stop.abort()
    await captured
    expect(await isTrue('last_gtid IS NOT NULL')).toBe(true)
  }

  async function isTrue(condition: string): Promise<boolean> {
    const [row] = await mysql.query(`SELECT (${condition}) AS answer FROM capture_checkpoint`)
    return row?.answer === 1
  }

  test('end it with words: what was written since is not skipped in silence', async () => {
    await captureSome(20)
    await mysql.query('RESET BINARY LOGS AND GTIDS')
    const isCovered = () => isTrue('GTID_SUBSET(gtid_set, @@GLOBAL.gtid_executed)')
    for (let n = 0; n < WRITES || !(await isCovered()); n += 1) {
      await mysql.query(insertPosts([1_000 + n]))
    }
    await using capture = startCapture()
    expect(await capture.exited).toBe(1)
    expect(capture.output()).toContain('its binary logs were reset')
    expect(capture.output()).toContain('snapshot --from-here')
  }, 120_000)

  test('and after it snapshot --from-here brings the index to what the tables say', async () => {
    const run = (name: string, ...args: string[]) => spawnProgram(name, args, names.env)
    await mysql.query(insertPosts([2_000, 2_001, 2_002, 2_003]))
    const first = run('snapshot', '--from-here')
    {
      await using _capture = startCapture()
      expect([await first.exited, first.output()]).toEqual([
        0,
        expect.stringContaining('rows published'),
      ])
      await eventually(async () => (await run('search', 'verify', '--all').exited) === 0)
    }
    await mysql.query('DELETE FROM posts WHERE id IN (2001, 2002)')
    await mysql.query('RESET BINARY LOGS AND GTIDS')
    await mysql.query(insertPosts([2_004]))
    const again = run('snapshot', '--from-here')
    await using _capture = startCapture()
    expect([await again.exited, again.output()]).toEqual([
      0,
      expect.stringContaining('2 posts and 0 users without a row removed'),
    ])
    await eventually(async () => (await run('search', 'verify', '--all').exited) === 0)
  }, 180_000)
})
