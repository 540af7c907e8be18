import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { changeKey, documentVersion } from '@sns/shared/events/change-event'
import { testServers } from '@sns/shared/testing/servers'
import { createBacklog } from '../backlog'
import type { BinlogPosition } from '../ports/binlog-source'
import { NO_EPOCHS } from '../source-epochs'
import {
  type BinlogFixture,
  type Change,
  collect,
  insertPosts,
  openBinlogFixture,
  readItems,
} from '../testing/binlog-fixture'
import { CASCADES_SQL, checkServer } from './server-check'

const BIG_ID = 2 ** 53 - 1

setDefaultTimeout(60_000)

describe.skipIf(!testServers.mysql)('MysqlBinlogSource', () => {
  let fixture: BinlogFixture
  beforeAll(async () => {
    fixture = await openBinlogFixture()
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  /** Runs statements, then a marker row, and gives the changes before the marker. */
  async function changesOf(...statements: string[]) {
    await using source = fixture.source()
    const from = await fixture.head()
    await fixture.write(...statements)
    const marker = 1_000_000 + Math.floor(Math.random() * 1e9)
    await fixture.write(
      `INSERT INTO mutes (muter_id, muted_id, created_at) VALUES (${marker}, 1, 1)`,
    )
    const isMarker = ({ source: { table }, after }: Change) =>
      table === 'mutes' && after?.muter_id === marker
    const { changes, last } = await collect(source, from, (all) => all.some(isMarker))
    return { from, last, changes: changes.filter((change) => !isMarker(change)) }
  }

  /** Unix milliseconds by the clock that stamps commits. */
  async function serverTime(): Promise<number> {
    const [row] = await fixture.writer.query('SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS ms')
    return Number(row?.ms)
  }

  test('gives inserts, updates and deletes as Debezium envelopes with exact values', async () => {
    const before = await serverTime()
    const { changes } = await changesOf(
      insertPosts([BIG_ID], '안녕 👨‍👩‍👧 “quotes” \u{1F600}'),
      `UPDATE posts SET text = 'edited', version = 2, edited_at = 1700000000001 WHERE id = ${BIG_ID}`,
      `DELETE FROM posts WHERE id = ${BIG_ID}`,
    )
    const after = await serverTime()
    const created = {
      id: BIG_ID,
      author_id: 7,
      text: '안녕 👨‍👩‍👧 “quotes” \u{1F600}',
      version: 1,
      created_at: 1700000000000,
      edited_at: null,
      updated_at: 1700000000000,
    }
    const edited = { ...created, text: 'edited', version: 2, edited_at: 1700000000001 }
    expect(changes.map(({ op, before, after }) => ({ op, before, after }))).toEqual([
      { op: 'c', before: null, after: created },
      { op: 'u', before: created, after: edited },
      { op: 'd', before: edited, after: null },
    ])
    for (const { source, transaction, ts_ms } of changes) {
      expect(source).toMatchObject({
        connector: 'mysql',
        db: fixture.server.database,
        table: 'posts',
        row: 0,
        snapshot: 'false',
        epoch: 0,
      })
      expect(source.file).toMatch(/\.\d{6}$/)
      expect(source.pos).toBeGreaterThan(4)
      expect(source.ts_ms).toBeGreaterThanOrEqual(before)
      expect(source.ts_ms).toBeLessThanOrEqual(after)
      expect(ts_ms).toBe(source.ts_ms)
      expect(transaction).toEqual({ id: source.gtid, total_order: 1 })
    }
    // Commit times have milliseconds: three statements hardly all fall on whole seconds.
    expect(changes.some(({ source }) => source.ts_ms % 1_000 !== 0)).toBe(true)
    const versions = changes.map(documentVersion)
    expect(versions).toEqual([...versions].sort((a, b) => (a < b ? -1 : 1)))
    expect(new Set(versions).size).toBe(3)
  })

  test('numbers a transaction of several tables and rows, and shows nothing rolled back', async () => {
    const { changes } = await changesOf(
      'BEGIN',
      insertPosts([101, 102, 103]),
      'INSERT INTO accounts (user_id, password_hash, graph_version) VALUES (101, "secret", 0)',
      'INSERT INTO likes (user_id, post_id, created_at) VALUES (1, 101, 5), (1, 102, 6)',
      'SAVEPOINT here',
      insertPosts([104]),
      'ROLLBACK TO SAVEPOINT here',
      'DELETE FROM posts WHERE id = 102',
      'COMMIT',
      'BEGIN',
      insertPosts([105]),
      'ROLLBACK',
    )
    expect(
      changes.map(({ op, before, after, source, transaction }) => [
        op,
        changeKey(source.table, after ?? before ?? {}),
        transaction?.total_order,
      ]),
    ).toEqual([
      ['c', '{"id":101}', 1],
      ['c', '{"id":102}', 2],
      ['c', '{"id":103}', 3],
      ['c', '{"user_id":1,"post_id":101}', 4],
      ['c', '{"user_id":1,"post_id":102}', 5],
      ['d', '{"id":102}', 6],
    ])
    expect(new Set(changes.map(({ source }) => source.gtid)).size).toBe(1)
    expect(changes.map(({ source }) => source.row)).toEqual([0, 1, 2, 0, 1, 0])
  })

  test('makes a change of the primary key a delete and a create', async () => {
    const { changes } = await changesOf(
      insertPosts([201]),
      'UPDATE posts SET id = 202 WHERE id = 201',
    )
    expect(
      changes.map(({ op, before, after, transaction }) => [
        op,
        before?.id,
        after?.id,
        transaction?.total_order,
      ]),
    ).toEqual([
      ['c', undefined, 201, 1],
      ['d', 201, undefined, 1],
      ['c', undefined, 202, 2],
    ])
  })

  test('follows a table through an added column', async () => {
    const { changes } = await changesOf(
      'INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES (1, 2, 3)',
      "ALTER TABLE blocks ADD COLUMN reason VARCHAR(40) NOT NULL DEFAULT 'none' FIRST",
      "INSERT INTO blocks (blocker_id, blocked_id, created_at, reason) VALUES (1, 3, 3, '이유')",
      'ALTER TABLE blocks DROP COLUMN reason',
      'DELETE FROM blocks WHERE blocker_id = 1',
    )
    expect(changes.map(({ before, after }) => after ?? before)).toEqual([
      { blocker_id: 1, blocked_id: 2, created_at: 3 },
      { reason: '이유', blocker_id: 1, blocked_id: 3, created_at: 3 },
      { blocker_id: 1, blocked_id: 2, created_at: 3 },
      { blocker_id: 1, blocked_id: 3, created_at: 3 },
    ])
  })

  test('a replay from an earlier commit repeats every byte; a later one goes on behind it', async () => {
    const first = await changesOf(insertPosts([301, 302]), 'DELETE FROM posts WHERE id = 302')
    await using source = fixture.source()
    const again = await collect(source, first.from, (all) => all.length > first.changes.length)
    expect(again.changes.slice(0, -1)).toEqual(first.changes)

    await fixture.write(insertPosts([303]))
    const rest = await collect(source, first.last, (all) => all.length > 0)
    expect(rest.changes.map(({ after }) => after?.id)).toEqual([303])
  })

  test('carries a transaction of 100,000 rows in bounded memory, however slow the reader', async () => {
    await using source = fixture.source()
    const from = await fixture.head()
    const ids = Array.from({ length: 100_000 }, (_, i) => 1_000_000 + i)
    await fixture.write('BEGIN')
    for (let i = 0; i < ids.length; i += 5_000)
      await fixture.write(insertPosts(ids.slice(i, i + 5_000)))
    await fixture.write('COMMIT')
    const stop = new AbortController()
    const seen: number[] = []
    const heap: number[] = []
    const held: number[] = []
    const backlog = createBacklog(
      { onBytes: (bytes) => held.push(bytes) },
      { maxBatchRows: 1_000, maxBatchBytes: 1024 * 1024, maxBytes: 512 * 1024 },
    )
    const reading = source.read(from, source.from, backlog, stop.signal)
    while (seen.length < ids.length) {
      const batch = await backlog.next()
      if (!batch) break
      seen.push(...batch.changes.map(({ key }) => Number(JSON.parse(key).id)))
      if (heap.length < seen.length / 20_000) {
        await Bun.sleep(1)
        Bun.gc(true)
        heap.push(process.memoryUsage().heapUsed)
      }
      backlog.done(batch)
    }
    stop.abort()
    await reading
    expect(seen).toEqual(ids)
    expect(heap.length).toBeGreaterThanOrEqual(5)
    // The bound, and what one read of the socket may bring beyond it.
    expect(Math.max(...held)).toBeLessThan(4 * 1024 * 1024)
    expect(Math.max(...heap) - Math.min(...heap)).toBeLessThan(40 * 1024 * 1024)
    await fixture.write('DELETE FROM posts WHERE id >= 1000000')
  })

  test("others' transactions move the position and show nothing", async () => {
    await using source = fixture.source()
    const from = await fixture.head()
    for (let i = 0; i < 50; i++) {
      await fixture.write(
        `INSERT INTO accounts (user_id, password_hash, graph_version) VALUES (${500 + i}, 'x', 0)`,
      )
    }
    const head = await fixture.head()
    const stop = new AbortController()
    const isContained = await (async () => {
      for await (const item of readItems(source, from, stop.signal)) {
        expect(item.kind).toBe('commit')
        if (item.kind !== 'commit') continue
        const rows = await fixture.writer.query('SELECT GTID_SUBSET(?, ?) AS contained', [
          head.gtidSet,
          item.position.gtidSet,
        ])
        if (rows[0]?.contained === 1) return true
      }
      return false
    })()
    stop.abort()
    expect(isContained).toBe(true)
  })

  async function failureFrom(position: BinlogPosition): Promise<unknown> {
    await using source = fixture.source()
    try {
      for await (const item of readItems(source, position, AbortSignal.timeout(20_000))) {
        if (item.kind === 'commit' && item.gtid === 'never') break
      }
    } catch (error) {
      return error
    }
    return null
  }

  test('accepts this server', async () => {
    await checkServer(fixture.writer)
  })

  test('finds the cascades of captured tables, which older servers do not log', async () => {
    await fixture.write(
      'ALTER TABLE comments ADD CONSTRAINT fk_post FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE',
    )
    const found = await fixture.writer.query(CASCADES_SQL)
    await fixture.write('ALTER TABLE comments DROP FOREIGN KEY fk_post')
    expect(found).toEqual([{ child: 'comments', name: 'fk_post' }])
    expect(await fixture.writer.query(CASCADES_SQL)).toEqual([])
  })

  test('refuses a position of another history', async () => {
    const strange = {
      last: null,
      epochs: NO_EPOCHS,
      gtidSet: '11111111-2222-3333-4444-555555555555:1-7',
      file: '',
      pos: 4,
    }
    const failure = await failureFrom(strange)
    expect(failure).toBeInstanceOf(OperatorError)
    expect(String(failure)).toContain('not the server that capture knew')
    const damaged = await failureFrom({ ...strange, gtidSet: 'nonsense' })
    expect(String(damaged)).toContain('damaged')
  })

  test('refuses a position whose log was purged', async () => {
    const from = await fixture.head()
    await fixture.write(insertPosts([591]), 'FLUSH BINARY LOGS')
    const { file } = await fixture.head()
    await fixture.write(`PURGE BINARY LOGS TO '${file}'`)
    const failure = await failureFrom(from)
    expect(failure).toBeInstanceOf(OperatorError)
    expect(String(failure)).toContain('has been purged')
    await using source = fixture.source()
    const head = await fixture.head()
    await fixture.write(insertPosts([592]))
    const { changes } = await collect(source, head, (all) => all.length > 0)
    expect(changes.map(({ after }) => after?.id)).toEqual([592])
  })

  test('goes on only in the log that it left: its last transaction must have the same commit time', async () => {
    await fixture.write(insertPosts([601]))
    await using source = fixture.source()
    const from = await fixture.head()
    await fixture.write(insertPosts([602]))
    const { last: left } = await collect(source, from, (all) => all.length > 0)
    expect(left.last?.gtid).toEndWith(`:${left.gtidSet.split('-').at(-1)}`)
    await fixture.write(insertPosts([603]))
    const rest = await collect(source, left, (all) => all.length > 0)
    expect(rest.changes.map(({ after }) => after?.id)).toEqual([603])

    const { gtid, committedAt } = left.last!
    const failure = await failureFrom({ ...left, last: { gtid, committedAt: committedAt - 1 } })
    expect(failure).toBeInstanceOf(OperatorError)
    expect(String(failure)).toContain('its binary logs were reset')
    const [, number = ''] = gtid.split(':')
    const elsewhere = { gtid: gtid.replace(number, String(Number(number) - 1)), committedAt }
    expect(await failureFrom({ ...left, last: elsewhere })).toBeInstanceOf(OperatorError)
  })

  test('reads compressed transactions as it reads others, also of many rows and beside others', async () => {
    const many = Array.from({ length: 4_000 }, (_, n) => 700_000 + n)
    const { changes, from, last } = await changesOf(
      insertPosts([621]),
      'SET SESSION binlog_transaction_compression = ON',
      'BEGIN',
      insertPosts([622], '압축 '.repeat(50)),
      insertPosts(many),
      "UPDATE posts SET text = 'edited' WHERE id = 622",
      'DELETE FROM posts WHERE id = 621',
      'COMMIT',
      'SET SESSION binlog_transaction_compression = OFF',
      insertPosts([623]),
    )
    const told = changes.map(({ op, before, after }) => [op, (after ?? before)?.id])
    expect(told).toEqual([
      ['c', 621],
      ['c', 622],
      ...many.map((id) => ['c', id]),
      ['u', 622],
      ['d', 621],
      ['c', 623],
    ])
    const compressed = changes.slice(1, -1)
    expect(new Set(compressed.map(({ source }) => source.gtid)).size).toBe(1)
    expect(compressed.map(({ transaction }) => transaction?.total_order)).toEqual(
      compressed.map((_, at) => at + 1),
    )
    await using source = fixture.source()
    const again = await collect(source, from, (all) => all.length > changes.length)
    expect(again.changes.slice(0, -1)).toEqual(changes)
    expect(last.last?.gtid).toBe(again.last.last!.gtid)
    await fixture.write('DELETE FROM posts WHERE id >= 700000')
  })

  test('holds back what is in a compressed transaction while the reader is slow', async () => {
    await using source = fixture.source()
    const from = await fixture.head()
    const ids = Array.from({ length: 30_000 }, (_, n) => 800_000 + n)
    await fixture.write('SET SESSION binlog_transaction_compression = ON', 'BEGIN')
    for (let at = 0; at < ids.length; at += 5_000) {
      await fixture.write(insertPosts(ids.slice(at, at + 5_000)))
    }
    await fixture.write('COMMIT', 'SET SESSION binlog_transaction_compression = OFF')
    const later = Array.from({ length: 50 }, (_, n) => 830_000 + n)
    for (const id of later) await fixture.write(insertPosts([id]))
    const held: number[] = []
    const backlog = createBacklog(
      { onBytes: (bytes) => held.push(bytes) },
      { maxBatchRows: 1_000, maxBatchBytes: 1024 * 1024, maxBytes: 512 * 1024 },
    )
    const stop = new AbortController()
    const reading = source.read(from, source.from, backlog, stop.signal)
    const seen: number[] = []
    while (seen.length < ids.length + later.length) {
      const batch = await backlog.next()
      if (!batch) break
      seen.push(...batch.changes.map(({ key }) => Number(JSON.parse(key).id)))
      await Bun.sleep(1)
      backlog.done(batch)
    }
    stop.abort()
    await reading
    expect(seen).toEqual([...ids, ...later])
    expect(Math.max(...held)).toBeLessThan(4 * 1024 * 1024)
    await fixture.write('DELETE FROM posts WHERE id >= 800000')
  })

  test('passes over partial updates of tables that are not captured', async () => {
    const { changes } = await changesOf(
      'CREATE TABLE elsewhere (id INT PRIMARY KEY, doc JSON)',
      `INSERT INTO elsewhere VALUES (1, '{"a": "${'x'.repeat(200)}", "b": 1}')`,
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
      "UPDATE elsewhere SET doc = JSON_SET(doc, '$.b', 2) WHERE id = 1",
      'SET SESSION binlog_transaction_compression = ON',
      "UPDATE elsewhere SET doc = JSON_SET(doc, '$.b', 3) WHERE id = 1",
      'SET SESSION binlog_transaction_compression = OFF',
      insertPosts([641]),
      "SET SESSION binlog_row_value_options = ''",
      'DROP TABLE elsewhere',
    )
    expect(changes.map(({ after }) => after?.id)).toEqual([641])
  })

  test.each<[string, ...string[]]>([
    ['TRUNCATE TABLE comments', 'TRUNCATE TABLE comments'],
    [
      'a statement-format change',
      "SET SESSION binlog_format = 'STATEMENT'",
      "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (1, 1, 1, 'x', 1)",
      "SET SESSION binlog_format = 'ROW'",
    ],
    [
      'a partial row image',
      insertPosts([471]),
      "SET SESSION binlog_row_image = 'MINIMAL'",
      'UPDATE posts SET version = 9 WHERE id = 471',
      "SET SESSION binlog_row_image = 'FULL'",
    ],
    [
      'a partial update of a captured table',
      insertPosts([472]),
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
      'UPDATE posts SET version = 9 WHERE id = 472',
      "SET SESSION binlog_row_value_options = ''",
    ],
    [
      'an XA transaction',
      "XA START 'sns'",
      insertPosts([473]),
      "XA END 'sns'",
      "XA PREPARE 'sns'",
      "XA COMMIT 'sns'",
    ],
    [
      'a number that became a text',
      'ALTER TABLE comments MODIFY post_id VARCHAR(40) NOT NULL',
      "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (5, 'x', 1, 't', 1)",
      'DELETE FROM comments',
      'ALTER TABLE comments MODIFY post_id BIGINT NOT NULL',
    ],
    [
      'a text that became binary',
      'ALTER TABLE comments MODIFY text VARBINARY(200) NOT NULL',
      "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (6, 1, 1, 't', 1)",
      'DELETE FROM comments',
      'ALTER TABLE comments MODIFY text TEXT NOT NULL',
    ],
    [
      'another primary key',
      'ALTER TABLE comments DROP PRIMARY KEY, ADD PRIMARY KEY (post_id, id)',
      "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (7, 1, 1, 't', 1)",
      'DELETE FROM comments',
      'ALTER TABLE comments DROP PRIMARY KEY, ADD PRIMARY KEY (id)',
    ],
    [
      'no primary key',
      'ALTER TABLE comments DROP PRIMARY KEY',
      "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (8, 1, 1, 't', 1)",
      'DELETE FROM comments',
      'ALTER TABLE comments ADD PRIMARY KEY (id)',
    ],
    [
      'a lost column',
      'ALTER TABLE users DROP COLUMN display_name',
      "INSERT INTO users (id, username, created_at, updated_at) VALUES (1, 'a', 1, 1)",
      'DELETE FROM users',
      "ALTER TABLE users ADD COLUMN display_name VARCHAR(200) NOT NULL DEFAULT ''",
    ],
  ])('stops and says so at %s', async (_what: string, ...statements: string[]) => {
    const from = await fixture.head()
    await fixture.write(...statements)
    const failure = await failureFrom(from)
    expect(failure).toBeInstanceOf(OperatorError)
    expect(String(failure)).not.toContain('\n')
  })
})
