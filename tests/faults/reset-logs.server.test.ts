import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
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
    const { hostname, port, username, password, pathname } = new URL(names.env.DATABASE_URL ?? '')
    mysql = createMysqlSession({
      host: hostname,
      port: Number(port),
      user: username,
      password,
      database: pathname.slice(1),
    })
    // A short history, so that the one after the next reset soon has all of its numbers.
    await mysql.query('RESET BINARY LOGS AND GTIDS')
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  })
  afterAll(async () => {
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  function startCapture() {
    const port = freePort()
    const env = { ...names.env, METRICS_PORT: String(port) }
    const program = spawnProgram('start', ['cdc-indexer'], env)
    return Object.assign(program, { statusUrl: `http://127.0.0.1:${port}` })
  }

  async function isTrue(condition: string): Promise<boolean> {
    const [row] = await mysql.query(`SELECT (${condition}) AS answer FROM capture_checkpoint`)
    return row?.answer === 1
  }

  test('end it with words: what was written since is not skipped in silence', async () => {
    {
      await using capture = startCapture()
      await capture.ready(capture.statusUrl)
      for (let id = 1; id <= 20; id += 1) await mysql.query(insertPosts([id]))
      await eventually(() => isTrue('last_gtid IS NOT NULL'))
      expect(await capture.stop()).toBe(0)
    }
    await mysql.query('RESET BINARY LOGS AND GTIDS')
    const isCovered = () => isTrue('GTID_SUBSET(gtid_set, @@GLOBAL.gtid_executed)')
    for (let n = 0; n < WRITES || !(await isCovered()); n += 1) {
      await mysql.query(insertPosts([1_000 + n]))
    }
    await using capture = startCapture()
    expect(await capture.exited).toBe(1)
    expect(capture.output()).toContain('its binary logs were reset')
    expect(capture.output()).toContain('UPDATE capture_checkpoint')
  }, 120_000)
})
