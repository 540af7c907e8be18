import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { systemClock } from '@sns/shared/domain/clock'
import { changeKey, documentVersion } from '@sns/shared/events/change-event'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { testServers } from '@sns/shared/testing/servers'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import { createCapture } from './capture'
import { createMysqlCheckpointStore, initCheckpoint } from './mysql/checkpoint-store'
import { type BinlogFixture, insertPosts, openBinlogFixture } from './testing/binlog-fixture'
import { createFakePublisher, createNoSnapshots, type FakePublisher } from './testing/fakes'

setDefaultTimeout(60_000)

interface At {
  readonly host: string
  readonly port: number
}

function startCapture(fixture: BinlogFixture, publisher: FakePublisher, at: At = fixture.server) {
  const source = fixture.source({ heartbeatMs: 200, silenceMs: 1_000 }, at)
  const checkpoints = createMysqlCheckpointStore(
    { ...fixture.server, host: at.host, port: at.port },
    { probeMs: 100, probeTimeoutMs: 1_000, silenceSeconds: 3 },
  )
  const metrics = createMetrics()
  const stop = new AbortController()
  const capture = createCapture(
    {
      source,
      checkpoints,
      publisher,
      snapshots: createNoSnapshots(),
      metrics,
      logger: createLogger('test', 'silent'),
      clock: systemClock,
    },
    { standbyMs: 50, maxRetryMs: 500 },
  )
  const done = capture.run(stop.signal)
  done.catch(() => {})
  return {
    metrics,
    done,
    health: capture.health,
    isLeader: async () => (await metrics.captureLeader.get()).values[0]?.value === 1,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done.catch(() => {})
      await source[Symbol.asyncDispose]()
    },
  }
}

const keysOf = (publisher: FakePublisher) =>
  publisher.acknowledged.map(({ source, op, after, before }) => [
    op,
    changeKey(source.table, after ?? before ?? {}),
  ])

describe.skipIf(!testServers.mysql)('capture from MySQL', () => {
  test('publishes from the first checkpoint on, saves, and goes on there after a restart', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    const store = createMysqlCheckpointStore(fixture.server)
    const first = await store.load()
    await fixture.writer.query(insertPosts([1, 2]))
    const publisher = createFakePublisher()
    {
      await using _capture = startCapture(fixture, publisher)
      await eventually(() => publisher.acknowledged.length === 2)
      await fixture.writer.query('DELETE FROM posts WHERE id = 1')
      await eventually(() => publisher.acknowledged.length === 3)
    }
    const saved = await store.load()
    expect(saved?.gtidSet).not.toBe(first?.gtidSet)
    await fixture.writer.query(insertPosts([3]))
    await using _again = startCapture(fixture, publisher)
    await eventually(() => publisher.acknowledged.length === 4)
    expect(keysOf(publisher)).toEqual([
      ['c', '{"id":1}'],
      ['c', '{"id":2}'],
      ['d', '{"id":1}'],
      ['c', '{"id":3}'],
    ])
  })

  test('rows can be read by the time their change is published', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    const publisher = createFakePublisher()
    const missing: unknown[] = []
    const publish = publisher.publish
    publisher.publish = async (changes) => {
      for (const { key } of changes) {
        const rows = await fixture.writer.query('SELECT id FROM posts WHERE id = ?', [
          Number(JSON.parse(key).id),
        ])
        if (rows.length === 0) missing.push(key)
      }
      await publish(changes)
    }
    await using _capture = startCapture(fixture, publisher)
    for (let id = 1; id <= 50; id++) await fixture.writer.query(insertPosts([id]))
    await eventually(() => publisher.acknowledged.length >= 50)
    expect(missing).toEqual([])
  })

  test('hands the lock over, losing and reordering nothing', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    const publisher = createFakePublisher()
    const first = startCapture(fixture, publisher)
    await eventually(first.isLeader)
    await using second = startCapture(fixture, publisher)
    await fixture.writer.query(insertPosts([1]))
    await eventually(() => publisher.acknowledged.length === 1)
    expect(await second.isLeader()).toBe(false)
    await first[Symbol.asyncDispose]()
    await fixture.writer.query(insertPosts([2]))
    await eventually(() => publisher.acknowledged.length === 2)
    expect(await second.isLeader()).toBe(true)
    expect(keysOf(publisher)).toEqual([
      ['c', '{"id":1}'],
      ['c', '{"id":2}'],
    ])
  })

  test('outlives a server that dies and one that hangs', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    await using proxy = await createTcpProxy(`${fixture.server.host}:${fixture.server.port}`)
    const publisher = createFakePublisher()
    await using capture = startCapture(fixture, publisher, proxy)
    let next = 1
    const write = async (rows: number) => {
      for (let i = 0; i < rows; i++) await fixture.writer.query(insertPosts([next++]))
    }
    const seesAll = () =>
      eventually(
        () => new Set(publisher.acknowledged.map(({ after }) => after?.id)).size === next - 1,
        { timeoutMs: 20_000 },
      )
    await write(5)
    await seesAll()

    const restarts = async () => (await capture.metrics.captureRestarts.get()).values[0]?.value ?? 0
    await proxy.cut()
    await write(5)
    await eventually(async () => (await restarts()) > 0)
    await eventually(() =>
      capture.health.check().then(
        () => false,
        () => true,
      ),
    )
    await proxy.resume()
    await seesAll()
    await capture.health.check()

    const before = await restarts()
    proxy.stall()
    await write(5)
    await eventually(async () => (await restarts()) > before)
    await proxy.resume()
    await seesAll()

    const versions = new Map<string, bigint>()
    const seen = new Set<string>()
    for (const event of publisher.appended) {
      const key = changeKey('posts', event.after ?? {})
      const version = documentVersion(event)
      if (seen.has(`${key} ${version}`)) continue
      seen.add(`${key} ${version}`)
      expect(version > (versions.get(key) ?? -1n)).toBe(true)
      versions.set(key, version)
    }
  })

  test('gives up where migrate has not run', async () => {
    await using fixture = await openBinlogFixture()
    await using capture = startCapture(fixture, createFakePublisher())
    expect(await capture.done.catch((error: unknown) => String(error))).toContain('run migrate')
  })
})
