import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { systemClock } from '@sns/shared/domain/clock'
import {
  type ChangeEnvelope,
  changeKey,
  documentVersion,
  type Row,
} from '@sns/shared/events/change-event'
import { numberOf } from '@sns/shared/events/gtid'
import { capturedTables } from '@sns/shared/events/tables'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { testServers } from '@sns/shared/testing/servers'
import { type CaptureOptions, createCapture } from '../capture'
import {
  type BinlogFixture,
  collect,
  insertPosts,
  openBinlogFixture,
} from '../testing/binlog-fixture'
import { createFakePublisher, type FakePublisher } from '../testing/fakes'
import { createMysqlCheckpointStore, initCheckpoint } from './checkpoint-store'
import { createSnapshotRequests, type SnapshotRequests } from './snapshot-requests'
import { createMysqlSnapshotStore, selectRows } from './snapshot-store'

setDefaultTimeout(60_000)

interface World extends AsyncDisposable {
  readonly fixture: BinlogFixture
  readonly requests: SnapshotRequests
  readonly publisher: FakePublisher
}

/** A database with rows that no checkpoint covers. */
async function openWorld(...ids: readonly number[]): Promise<World> {
  const fixture = await openBinlogFixture()
  await initCheckpoint(fixture.server)
  if (ids.length > 0) await fixture.writer.query(insertPosts(ids))
  const requests = createSnapshotRequests(fixture.server)
  await requests.goOnFromHere([], 0)
  return {
    fixture,
    requests,
    publisher: createFakePublisher(),
    async [Symbol.asyncDispose]() {
      await requests[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

function startCapture({ fixture, publisher }: World, options: Partial<CaptureOptions> = {}) {
  const source = fixture.source()
  const snapshots = createMysqlSnapshotStore(fixture.server)
  const checkpoints = createMysqlCheckpointStore(fixture.server)
  const logger = createLogger('test', 'silent')
  const metrics = createMetrics()
  const deps = { source, checkpoints, snapshots, publisher, logger, metrics, clock: systemClock }
  const capture = createCapture(deps, { pollMs: 20, standbyMs: 20, ...options })
  const stop = new AbortController()
  const done = capture.run(stop.signal)
  done.catch(() => {})
  return {
    done,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done.catch(() => {})
      await snapshots[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
    },
  }
}

async function stateOf({ requests }: World, table = 'posts') {
  return (await requests.reports()).find((report) => report.table === table)?.state
}

const reads = (publisher: FakePublisher) =>
  publisher.acknowledged.filter(({ op }) => op === 'r').map(({ after }) => Number(after?.id))

describe.skipIf(!testServers.mysql)('snapshots of MySQL tables', () => {
  test('publish every row through the same log, once, and end', async () => {
    await using world = await openWorld(3, 1, 2)
    const { fixture, requests, publisher } = world
    await fixture.write(
      'INSERT INTO likes (user_id, post_id, created_at) VALUES (2, 1, 5), (1, 9, 5), (1, 2, 5)',
    )
    await requests.goOnFromHere([], 0)
    await using _capture = startCapture(world)
    await requests.ask(['posts', 'likes', 'mutes'])
    await eventually(async () => (await stateOf(world)) === 'published')
    await eventually(async () => (await stateOf(world, 'likes')) === 'published')
    // It has no rows.
    expect(await stateOf(world, 'mutes')).toBe('published')
    const read = publisher.acknowledged.filter(({ op }) => op === 'r')
    const keys = read.map(({ source, after }) => changeKey(source.table, after ?? {}))
    expect(keys.sort()).toEqual([
      '{"id":1}',
      '{"id":2}',
      '{"id":3}',
      '{"user_id":1,"post_id":2}',
      '{"user_id":1,"post_id":9}',
      '{"user_id":2,"post_id":1}',
    ])
    expect(read[0]).toMatchObject({
      before: null,
      transaction: null,
      source: { connector: 'mysql', db: fixture.server.database, snapshot: 'true', epoch: 0 },
    })
    const reports = await requests.reports()
    expect(reports.map(({ table, rows }) => [table, rows]).sort()).toEqual([
      ['likes', 3],
      ['mutes', 0],
      ['posts', 3],
    ])
  })

  test('beside writers, killed and resumed, leave each row as it is, in order', async () => {
    const ids = Array.from({ length: 3_000 }, (_, n) => n + 1)
    await using world = await openWorld(...ids)
    const { fixture, requests, publisher } = world
    let isOver = false
    const write = async (seed: number) => {
      const random = (n: number) => 1 + ((Math.imul(++seed, 2_654_435_761) >>> 0) % n)
      while (!isOver) {
        const id = random(4_000)
        await fixture.writer.query(
          [
            `UPDATE posts SET version = version + 1, text = CONCAT('v', version) WHERE id = ${id}`,
            `DELETE FROM posts WHERE id = ${id}`,
            `INSERT IGNORE INTO posts (id, author_id, text, version, created_at, updated_at) VALUES (${id}, 7, 'again', 1, 1, 1)`,
          ][random(3) - 1] ?? '',
        )
      }
    }
    await requests.ask(['posts'])
    const writing = write(1)
    const small = { maxChunkRows: 100 }
    for (let crash = 1; crash <= 3; crash += 1) {
      const before = reads(publisher).length
      await using _capture = startCapture(world, small)
      await eventually(() => reads(publisher).length > before + 300)
    }
    await using _capture = startCapture(world, small)
    await eventually(async () => (await stateOf(world)) === 'published')
    isOver = true
    await writing
    const last = await fixture.head()
    const checkpoints = createMysqlCheckpointStore(fixture.server)
    await eventually(async () => {
      const [row] = await fixture.writer.query('SELECT GTID_SUBSET(?, ?) AS done', [
        last.gtidSet,
        (await checkpoints.load())?.gtidSet ?? '',
      ])
      return row?.done === 1
    })

    const rows = await fixture.writer.query('SELECT id, version, text FROM posts ORDER BY id')
    expect(lastStates(publisher.acknowledged)).toEqual(
      rows.map(({ id, version, text }) => [Number(id), Number(version), String(text)]),
    )
    // A crash repeats a chunk, not the table.
    expect(reads(publisher).length).toBeLessThan(ids.length + 1_500)
  })

  test('stop when told and go on where they were', async () => {
    await using world = await openWorld(...Array.from({ length: 400 }, (_, n) => n + 1))
    const { requests, publisher } = world
    await requests.ask(['posts'])
    {
      const gate = Promise.withResolvers<void>()
      const { publish } = publisher
      publisher.publish = async (...args) => {
        if (reads(publisher).length >= 100) publisher.gate = gate.promise
        await publish(...args)
      }
      await using _capture = startCapture(world, { maxChunkRows: 50 })
      await eventually(() => publisher.gate !== null)
      expect(await requests.stop()).toBe(1)
      publisher.publish = publish
      publisher.gate = null
      gate.resolve()
      const settled = reads(publisher).length
      await Bun.sleep(200)
      expect(reads(publisher).length).toBeLessThanOrEqual(settled + 50)
      expect(await stateOf(world)).toBe('stopped')
    }
    const before = reads(publisher).length
    await requests.ask(['posts'])
    await using _again = startCapture(world)
    await eventually(async () => (await stateOf(world)) === 'published')
    expect(new Set(reads(publisher)).size).toBe(400)
    expect(reads(publisher).length - before).toBeLessThan(400)
  })

  test('a row that cannot be published fails its snapshot with words, and capture goes on', async () => {
    await using world = await openWorld(1, 2)
    const { fixture, requests, publisher } = world
    await fixture.writer.query(insertPosts([2 ** 53 - 1]))
    await requests.goOnFromHere([], 0)
    await fixture.write(
      'SET SESSION sql_log_bin = 0',
      'UPDATE posts SET version = 9007199254740993 WHERE id = 2',
      'SET SESSION sql_log_bin = 1',
    )
    await requests.ask(['posts'])
    await using _capture = startCapture(world)
    await eventually(async () => (await stateOf(world)) === 'failed')
    const [report] = await requests.reports()
    expect(report?.problem).toContain('posts.version is 9007199254740993')
    expect(report?.problem).toContain('run snapshot again')
    await fixture.write(insertPosts([3]))
    await eventually(() => publisher.acknowledged.some(({ after }) => after?.id === 3))
    await fixture.write(
      'SET SESSION sql_log_bin = 0',
      'UPDATE posts SET version = 5 WHERE id = 2',
      'SET SESSION sql_log_bin = 1',
    )
    await requests.ask(['posts'])
    await eventually(async () => (await stateOf(world)) === 'published')
    expect(reads(publisher)).toContain(1)
  })

  test('the checkpoint moves to the end of the log under higher sequences, while nobody captures', async () => {
    await using world = await openWorld(1)
    const { fixture, requests, publisher } = world
    const checkpoints = createMysqlCheckpointStore(fixture.server)
    const { last: before } = (await checkpoints.load())!.epochs
    expect(before).toBeGreaterThan(0)
    {
      await using _capture = startCapture(world)
      await eventually(() => requests.isCaptured())
    }
    await fixture.write(insertPosts([2]))
    // Above all that can have been captured since the checkpoint, and no epoch is used up.
    expect(await requests.goOnFromHere(capturedTables, 0)).toBe(0)
    expect((await checkpoints.load())!.epochs.last).toBeGreaterThanOrEqual(before + 2 ** 32)
    expect(await requests.goOnFromHere(capturedTables, 7)).toBe(7)
    await expect(requests.goOnFromHere(capturedTables, 32)).rejects.toThrow('epochs are used up')
    await using _capture = startCapture(world)
    await eventually(async () => (await stateOf(world)) === 'published')
    expect(publisher.acknowledged.map(({ op, after }) => [op, after?.id])).toEqual([
      ['r', 1],
      ['r', 2],
    ])
    expect(publisher.acknowledged.every(({ source }) => source.epoch === 7)).toBe(true)
  })

  test('rows read the same by SELECT and in the binlog, whatever columns a table was given', async () => {
    await using world = await openWorld()
    const { fixture, requests, publisher } = world
    const columns = Object.entries(COLUMNS).map(([type, _], n) => `ADD COLUMN c${n} ${type} NULL`)
    await fixture.write(`ALTER TABLE posts ${columns.join(', ')}`)
    const from = await fixture.head()
    await fixture.write(insertPosts([1]))
    const values = Object.values(COLUMNS).map((value, n) => `c${n} = ${value}`)
    await fixture.write(`UPDATE posts SET ${values.join(', ')}`)
    await using source = fixture.source()
    const { changes } = await collect(source, from, (all) => all.length >= 2)
    await requests.goOnFromHere(['posts'], 0)
    await using _capture = startCapture(world)
    await eventually(() => reads(publisher).length === 1)
    const named = (row: Row | null | undefined) =>
      Object.keys(COLUMNS).map((type, n) => [type, row?.[`c${n}`]])
    expect(named(publisher.acknowledged[0]?.after)).toEqual(named(changes[1]?.after))
    expect(named(changes[1]?.after).filter(([, cell]) => cell === null)).toEqual([])
  })

  test('an earlier lease saves nothing', async () => {
    await using world = await openWorld(1)
    const { fixture, requests } = world
    await requests.ask(['posts'])
    await using store = createMysqlSnapshotStore(fixture.server)
    const wanted = (await store.next())!
    const checkpoints = createMysqlCheckpointStore(fixture.server)
    const early = (await checkpoints.acquire())!
    await early[Symbol.asyncDispose]()
    await using late = (await checkpoints.acquire())!
    const further = { ...wanted, after: [1], rows: 1 }
    expect(await store.mark(early, further)).toBeNull()
    await store.finish(early, further)
    expect(await store.next()).toEqual(wanted)
    const mark = await store.mark(late, further)
    expect(mark).toStartWith(`${fixture.id}:`)
    expect(await store.next()).toEqual(further)
    // Each is a transaction, also where nothing has moved.
    expect(numberOf((await store.mark(late, further)) ?? '')).toBeGreaterThan(numberOf(mark ?? ''))
    await store.finish(late, further)
    expect(await store.next()).toBeNull()
  })

  test('the rows behind a key are read by ranges of the primary key', async () => {
    await using fixture = await openBinlogFixture()
    const pairs = Array.from({ length: 2_000 }, (_, n) => `(${n % 40}, ${n}, ${n}, 1)`)
    await fixture.write(
      `INSERT INTO follows (follower_id, followee_id, id, created_at) VALUES ${pairs.join(',')}`,
      'ANALYZE TABLE follows',
    )
    const where = { table: 'follows', after: [3, 1_000], end: [39, 5_000] } as const
    const { sql, values } = selectRows(where, ['*'], 10)
    const [plan] = await fixture.writer.query(`EXPLAIN FORMAT=TRADITIONAL ${sql}`, values)
    expect(plan).toMatchObject({ type: 'range', key: 'PRIMARY' })
    expect(String(plan?.Extra)).not.toContain('filesort')
    const rows = await fixture.writer.query(sql, values)
    expect(
      rows.map(({ follower_id, followee_id }) => [follower_id, followee_id]).slice(0, 2),
    ).toEqual([
      [3, 1_003],
      [3, 1_043],
    ])
  })
})

/** What each row is last, by the order of the log, with versions that never fall. */
function lastStates(events: readonly ChangeEnvelope[]) {
  const versions = new Map<string, bigint>()
  const states = new Map<number, readonly [number, number, string]>()
  for (const event of events) {
    const row = event.after ?? event.before ?? {}
    const key = changeKey('posts', row)
    const version = documentVersion(event)
    // After a crash the same again is no step back.
    if (version < (versions.get(key) ?? 0n)) continue
    versions.set(key, version)
    const id = Number(row.id)
    if (event.after) states.set(id, [id, Number(row.version), String(row.text)])
    else states.delete(id)
  }
  return [...states.values()].sort(([a], [b]) => a - b)
}

/** A value for each type. */
const COLUMNS: Readonly<Record<string, string>> = {
  TINYINT: '-5',
  'TINYINT UNSIGNED': '250',
  BOOL: 'true',
  'SMALLINT UNSIGNED': '65535',
  MEDIUMINT: '-8388608',
  'INT UNSIGNED': '4294967295',
  'BIGINT UNSIGNED': '18446744073709551615',
  BIGINT: '-9223372036854775807',
  'DECIMAL(30,10)': "'-12345678901234567890.0123456789'",
  'DECIMAL(10,0)': '42',
  FLOAT: '1.1',
  DOUBLE: '0.1',
  'BIT(9)': "b'101010101'",
  'CHAR(5)': "'ab'",
  'BINARY(4)': "x'0001'",
  'VARBINARY(10)': "x'ff00'",
  BLOB: "x'fffe00'",
  TEXT: "'té 한글'",
  JSON: `'{"b": 1, "a": [1.5, "x", null, true, 1.0]}'`,
  "ENUM('a','b')": "'b'",
  "SET('x','y','z')": "'x,z'",
  DATE: "'2024-02-03'",
  'TIME(3)': "'-12:34:56.789'",
  TIME: "'838:59:59'",
  'DATETIME(6)': "'2024-02-03 04:05:06.123456'",
  DATETIME: "'2024-02-03 04:05:06'",
  'TIMESTAMP(3)': "'2024-02-03 04:05:06.123'",
  YEAR: '2024',
  'VECTOR(3)': "TO_VECTOR('[1,2.5,-3]')",
  POINT: "ST_GeomFromText('POINT(1 2)')",
  'VARCHAR(10) CHARACTER SET latin1': "'é'",
  'VARCHAR(10) CHARACTER SET utf16': "'é한'",
}
