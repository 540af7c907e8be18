import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { testServers } from '@sns/shared/testing/servers'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import { insertPosts, openBinlogFixture } from '../testing/binlog-fixture'
import { checkpointStoreConformance } from '../testing/checkpoint-store-conformance'
import { CHECKPOINT_NAME, createMysqlCheckpointStore, initCheckpoint } from './checkpoint-store'

setDefaultTimeout(60_000)

describe.skipIf(!testServers.mysql)('MysqlCheckpointStore', () => {
  checkpointStoreConformance(async () => {
    const fixture = await openBinlogFixture()
    const { server, writer } = fixture
    return {
      open: () => createMysqlCheckpointStore(server, { probeMs: 50 }),
      async init({ gtidSet, file, pos, serverId, epochs }) {
        await writer.update(
          `INSERT INTO capture_checkpoint
           (name, gtid_set, file, pos, server_id, epoch, epochs, fence, updated_at)
           VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0)`,
          [CHECKPOINT_NAME, gtidSet, file, pos, serverId, JSON.stringify(epochs)],
        )
      },
      async breakLease() {
        const [row] = await writer.query('SELECT IS_USED_LOCK(?) AS id', [
          `sns.capture.${server.database}`,
        ])
        await writer.query(`KILL CONNECTION ${row?.id}`)
      },
      [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    }
  })

  test('a lock whose server hangs counts as lost', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    await using proxy = await createTcpProxy(`${fixture.server.host}:${fixture.server.port}`)
    const { host, port } = proxy
    const store = createMysqlCheckpointStore(
      { ...fixture.server, host, port },
      { probeMs: 50, probeTimeoutMs: 200 },
    )
    await using lease = await eventually(() => store.acquire())
    proxy.stall()
    await eventually(() => lease.lost.aborted)
  })

  test('saves nothing under a lower fence, though the lock is still held', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    const store = createMysqlCheckpointStore(fixture.server)
    await using lease = await eventually(() => store.acquire())
    const before = (await store.load())!
    expect(await store.isLatest(lease)).toBe(true)
    await fixture.writer.query('UPDATE capture_checkpoint SET fence = fence + 1')
    expect(await store.isLatest(lease)).toBe(false)
    expect(await store.save(lease, { ...before, pos: before.pos + 1 })).toBe(false)
    expect(await store.load()).toEqual(before)
  })

  test('migrate writes the first checkpoint once, at the end of the log', async () => {
    await using fixture = await openBinlogFixture()
    const store = createMysqlCheckpointStore(fixture.server)
    const before = await fixture.head()
    const [written, raced] = await Promise.all([
      initCheckpoint(fixture.server),
      initCheckpoint(fixture.server),
    ])
    const first = written ?? raced
    expect(first).not.toBeNull()
    expect(first?.serverId).toBe(fixture.id)
    const [row] = await fixture.writer.query('SELECT GTID_SUBSET(?, ?) AS isLater', [
      before.gtidSet,
      first?.gtidSet ?? '',
    ])
    expect(row?.isLater).toBe(1)
    expect(await initCheckpoint(fixture.server)).toBeNull()
    const loaded = await store.load()
    expect(loaded).toEqual(first)
  })

  test('where rows came before the checkpoint, it begins at the oldest that the server holds', async () => {
    await using fixture = await openBinlogFixture()
    await fixture.writer.query(insertPosts([1]))
    const [row] = await fixture.writer.query('SELECT @@GLOBAL.gtid_purged AS purged')
    const first = await initCheckpoint(fixture.server)
    expect(first?.gtidSet).toBe(String(row?.purged).replace(/\s/g, ''))
  })
})
