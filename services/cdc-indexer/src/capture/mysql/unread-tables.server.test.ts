import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { testServers } from '@sns/shared/testing/servers'
import { collect, insertPosts, openBinlogFixture } from '../testing/binlog-fixture'
import { initCheckpoint } from './checkpoint-store'
import { createSnapshotRequests } from './snapshot-requests'

setDefaultTimeout(60_000)

describe.skipIf(!testServers.mysql)('a change of a table that capture cannot read', () => {
  test('stops it until a snapshot of that table alone is asked for', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    await using source = fixture.source()
    await using requests = createSnapshotRequests(fixture.server)
    const from = await fixture.head()
    const state = async () =>
      (await requests.reports()).map((report) => [report.table, report.state, report.isRepair])
    const read = (id: number) =>
      collect(source, from, (all) => all.some(({ after }) => after?.id === id))
    const stop = async (id: number) => {
      const failure = await read(id).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(OperatorError)
      return String(failure)
    }

    await fixture.write(
      insertPosts([1, 2]),
      'CREATE TABLE kept LIKE posts',
      'INSERT INTO kept SELECT * FROM posts WHERE id = 1',
    )
    // Asked for before: what was read of it is no longer enough.
    await requests.ask(['posts'])
    await fixture.write('RENAME TABLE posts TO gone, kept TO posts', insertPosts([3]))
    expect(await stop(3)).toContain('run "snapshot posts", and start cdc-indexer')
    expect(await state()).toEqual([['posts', 'unread', false]])

    // Another table makes nothing good.
    expect(await requests.ask(['users'])).toBe(false)
    await stop(3)
    expect(await requests.ask(['posts'])).toBe(true)
    expect(await state()).toContainEqual(['posts', 'running', true])
    expect(await requests.isPast(['users'])).toBe(true)
    expect(await requests.isPast(['posts'])).toBe(false)
    const { changes } = await read(3)
    expect(changes.map(({ source: { table }, after }) => [table, after?.id])).toEqual([
      ['posts', 1],
      ['posts', 2],
      ['posts', 3],
    ])

    // What came after the request stops it again.
    await fixture.write('TRUNCATE TABLE posts', insertPosts([4]))
    await stop(4)
    expect(await requests.ask(['posts'])).toBe(true)
    await read(4)
  })

  test.each<[string, ...string[]]>([
    [
      'another primary key',
      'ALTER TABLE posts DROP PRIMARY KEY, ADD PRIMARY KEY (author_id, id)',
      insertPosts([7]),
      'ALTER TABLE posts DROP PRIMARY KEY, ADD PRIMARY KEY (id)',
    ],
    [
      'a row with some of its columns',
      "SET SESSION binlog_row_image = 'MINIMAL'",
      'UPDATE posts SET version = 9 WHERE id = 1',
      "SET SESSION binlog_row_image = 'FULL'",
    ],
    [
      'a partial update',
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
      'UPDATE posts SET version = 9 WHERE id = 1',
      "SET SESSION binlog_row_value_options = ''",
    ],
  ])('may be %s', async (_what, ...statements) => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    await using source = fixture.source()
    await using requests = createSnapshotRequests(fixture.server)
    const from = await fixture.head()
    await fixture.write(insertPosts([1]), ...statements, insertPosts([9]))
    const read = () => collect(source, from, (all) => all.some(({ after }) => after?.id === 9))
    await expect(read()).rejects.toThrow('run "snapshot posts"')
    expect(await requests.ask(['posts'])).toBe(true)
    const { changes } = await read()
    expect(changes.map(({ op, after }) => [op, after?.id])).toEqual([
      ['c', 1],
      ['c', 9],
    ])
  })

  test('is put back before its snapshot is asked for, where the table is gone', async () => {
    await using fixture = await openBinlogFixture()
    await initCheckpoint(fixture.server)
    await using source = fixture.source()
    await using requests = createSnapshotRequests(fixture.server)
    const from = await fixture.head()
    await fixture.write('RENAME TABLE posts TO put_aside')
    await expect(collect(source, from, () => false)).rejects.toThrow('snapshot posts')
    await expect(requests.ask(['posts'])).rejects.toBeInstanceOf(OperatorError)
    await fixture.write('RENAME TABLE put_aside TO posts', insertPosts([1]))
    expect(await requests.ask(['posts'])).toBe(true)
    await collect(source, from, (all) => all.length > 0)
  })
})
