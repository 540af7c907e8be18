import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { migrate } from '@sns/shared/adapters/sql/migrate'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type ChangeEnvelope, changeKey, documentVersion } from '@sns/shared/events/change-event'
import { includes } from '@sns/shared/events/gtid'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { type MysqlPair, mysqlPairCommand, openMysqlPair } from '@sns/shared/testing/mysql-pair'
import { uniqueName } from '@sns/shared/testing/servers'
import { testMysqlSettings } from '@sns/shared/testing/sql-database'
import { createCapture } from '../capture'
import { insertPosts } from '../testing/binlog-fixture'
import { createFakePublisher, type FakePublisher } from '../testing/fakes'
import { createMysqlBinlogSource } from './binlog-source'
import { createMysqlCheckpointStore, initCheckpoint } from './checkpoint-store'
import { checkServer } from './server-check'
import { createMysqlSession, type MysqlServer } from './session'
import { createSnapshotRequests } from './snapshot-requests'
import { createMysqlSnapshotStore } from './snapshot-store'

setDefaultTimeout(90_000)
if (!mysqlPairCommand)
  console.warn('SKIPPED: TEST_MYSQL_PAIR is not set, so no MySQL server takes over from another')

async function openDatabase(pair: MysqlPair): Promise<MysqlServer> {
  const server = { ...testMysqlSettings(pair.url), database: uniqueName('pair') }
  await using session = createMysqlSession({ ...server, database: 'mysql' })
  await session.query(`CREATE DATABASE ${server.database}`)
  await using database = await connectMysql(server)
  await migrate(database.db)
  await initCheckpoint(server)
  return server
}

function startCapture(server: MysqlServer, publisher: FakePublisher) {
  const [logger, metrics] = [createLogger('test', 'silent'), createMetrics()]
  const source = createMysqlBinlogSource(
    { server, logger, metrics },
    { heartbeatMs: 200, silenceMs: 2_000 },
  )
  const snapshots = createMysqlSnapshotStore(server)
  const checkpoints = createMysqlCheckpointStore(server, { probeMs: 100, probeTimeoutMs: 1_000 })
  const stop = new AbortController()
  const capture = createCapture(
    { source, checkpoints, publisher, snapshots, metrics, logger, clock: systemClock },
    { standbyMs: 50, maxRetryMs: 300 },
  )
  const done = capture.run(stop.signal)
  done.catch(() => {})
  return {
    done,
    checkpoints,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done.catch(() => {})
      await source[Symbol.asyncDispose]()
      await snapshots[Symbol.asyncDispose]()
    },
  }
}

/** Writes posts one by one until it is told to stop, over new connections where one fails. */
function startWriter(server: MysqlServer) {
  let isOver = false
  let writes = 0
  const done = (async () => {
    let session = createMysqlSession(server, { timeoutMs: 2_000 })
    while (!isOver) {
      const id = 1 + (writes % 7)
      const statement =
        writes % 5 === 4
          ? `DELETE FROM posts WHERE id = ${id}`
          : `INSERT INTO posts (id, author_id, text, version, created_at, edited_at, updated_at)
             VALUES (${id}, 7, 'w${writes}', 1, 1, null, 1) ON DUPLICATE KEY UPDATE text = 'w${writes}'`
      try {
        await session.query(statement)
        writes += 1
      } catch {
        session.destroy()
        session = createMysqlSession(server, { timeoutMs: 2_000 })
        await Bun.sleep(20)
      }
    }
    await session[Symbol.asyncDispose]()
  })()
  return {
    count: () => writes,
    /** So many more are answered. */
    async more(count: number) {
      const until = writes + count
      await eventually(() => writes >= until, { timeoutMs: 30_000 })
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      await done
    },
  }
}

/** Per key in the order of versions, and ending as the rows are. */
async function expectSame(server: MysqlServer, publisher: FakePublisher) {
  await using session = createMysqlSession(server)
  const rows = await session.query('SELECT id, text FROM posts ORDER BY id')
  const texts = new Map(rows.map(({ id, text }) => [Number(id), String(text)]))
  await eventually(() => Bun.deepEquals(new Map([...replayed(publisher)].sort()), texts), {
    timeoutMs: 20_000,
    what: 'what was published ends as the rows are',
  })
  const seen = new Map<string, bigint>()
  const payloads = new Map<string, string>()
  for (const event of publisher.appended) {
    const key = changeKey('posts', event.after ?? event.before ?? {})
    const version = documentVersion(event)
    const name = `${key} ${version}`
    const payload = payloadOf(event)
    // A replay repeats it, from whichever server's log.
    if (payloads.has(name)) expect(payloads.get(name)).toBe(payload)
    else expect(version > (seen.get(key) ?? -1n)).toBe(true)
    payloads.set(name, payload)
    if (version > (seen.get(key) ?? -1n)) seen.set(key, version)
  }
}

/** Where in its files a server has a change is its own affair. */
function payloadOf({ source, ...event }: ChangeEnvelope): string {
  return JSON.stringify({ ...event, source: { ...source, file: '', pos: 0 } })
}

function replayed({ acknowledged }: FakePublisher): ReadonlyMap<number, string> {
  const newest = new Map<number, { readonly version: bigint; readonly text: string | null }>()
  for (const event of acknowledged) {
    const id = Number((event.after ?? event.before)?.id)
    const version = documentVersion(event)
    if (version < (newest.get(id)?.version ?? -1n)) continue
    newest.set(id, { version, text: event.after ? String(event.after.text) : null })
  }
  return new Map([...newest].flatMap(([id, { text }]) => (text === null ? [] : [[id, text]])))
}

const sourcesOf = ({ appended }: FakePublisher) =>
  new Set(appended.map(({ source: { gtid } }) => gtid.split(':')[0])).size

describe.skipIf(!mysqlPairCommand)('capture follows MySQL', () => {
  test('through a switchover to its replica and the death of that one', async () => {
    await using pair = await openMysqlPair('pair', '--semi-sync')
    const server = await openDatabase(pair)
    const publisher = createFakePublisher()
    {
      await using _capture = startCapture(server, publisher)
      {
        await using writer = startWriter(server)
        await writer.more(30)
        await pair.run('switchover')
        await writer.more(30)
        await pair.run('rejoin')
        await pair.run('failover')
        await writer.more(30)
        await pair.run('rejoin')
      }
      await expectSame(server, publisher)
      expect(sourcesOf(publisher)).toBe(2)
      // A snapshot goes on there, too, and so does what sweeps the index by the head of the log.
      await using requests = createSnapshotRequests(server)
      await requests.ask(['posts'])
      await eventually(async () => (await requests.reports())[0]?.state === 'published', {
        timeoutMs: 20_000,
      })
      await expectSame(server, publisher)
    }
  })

  test('stops where the new primary lacks what was captured, and names it, each time it is started', async () => {
    await using pair = await openMysqlPair('pair')
    const server = await openDatabase(pair)
    const publisher = createFakePublisher()
    const published = (text: string) =>
      eventually(
        () => publisher.acknowledged.find(({ after }) => after?.text === text)?.source.gtid,
        { timeoutMs: 20_000 },
      )
    const lost: string[] = []
    {
      await using capture = startCapture(server, publisher)
      await write(server, insertPosts([1], 'kept'))
      await published('kept')
      await pair.run('lag')
      for (const id of [2, 3]) {
        await write(server, insertPosts([id], `lost ${id}`))
        lost.push(await published(`lost ${id}`))
      }
      await pair.run('failover')
      expect(String(await capture.done.catch((error) => error))).toContain('it lacks')
    }
    await write(server, insertPosts([4], 'new'))
    {
      await using capture = startCapture(server, publisher)
      const failure = await capture.done.catch((error) => error)
      expect(failure).toBeInstanceOf(OperatorError)
      const named = /it lacks ([^ ]*), which/.exec(failure.message)?.[1] ?? ''
      for (const gtid of lost) expect(includes(named, gtid)).toBe(true)
      expect(failure.message).toMatch(/and has .*, which were not/)
      expect(failure.message).toContain('snapshot --from-here')
    }
    expect(publisher.appended.some(({ after }) => after?.text === 'new')).toBe(false)

    await using requests = createSnapshotRequests(server)
    await requests.goOnFromHere(['posts'], 0)
    await using _capture = startCapture(server, publisher)
    await published('new')
    await write(server, "UPDATE posts SET text = 'newer' WHERE id = 4")
    await published('newer')
    const versions = publisher.acknowledged
      .filter(({ after }) => ['lost 3', 'new', 'newer'].includes(String(after?.text)))
      .map(documentVersion)
    expect(versions).toEqual([...versions].sort((a, b) => (a < b ? -1 : 1)))
  })

  test('in a group, whose members have numbers of their own, through a switchover and the death of its primary', async () => {
    await using pair = await openMysqlPair('group')
    const server = await openDatabase(pair)
    const publisher = createFakePublisher()
    await using capture = startCapture(server, publisher)
    {
      await using writer = startWriter(server)
      await writer.more(20)
      await pair.run('switchover')
      await writer.more(20)
      await pair.run('failover')
      await writer.more(20)
    }
    await expectSame(server, publisher)
    expect(sourcesOf(publisher)).toBe(1)
    await using requests = createSnapshotRequests(server)
    await requests.ask(['posts'])
    await eventually(async () => (await requests.reports())[0]?.state === 'published', {
      timeoutMs: 20_000,
    })
    await expectSame(server, publisher)

    await using session = createMysqlSession(server, { timeoutMs: 60_000 })
    await checkServer(session)
    await session.query('SELECT group_replication_switch_to_multi_primary_mode()')
    // What migrate asks, and capture at each start.
    await expect(checkServer(session)).rejects.toThrow('several primaries')
    await capture[Symbol.asyncDispose]()
    await using again = startCapture(server, publisher)
    expect(String(await again.done.catch((error) => error))).toContain(
      'SELECT group_replication_switch_to_single_primary_mode()',
    )
  })
})

async function write(server: MysqlServer, statement: string) {
  await using session = createMysqlSession(server)
  await eventually(
    () =>
      session.query(statement).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 20_000 },
  )
}
