import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

setDefaultTimeout(60_000)

const STATEMENTS = "SET SESSION binlog_format = 'STATEMENT'"
const ROWS = "SET SESSION binlog_format = 'ROW'"
const IDS = [1, 2, 3, 4, 5, 6, 7, 8]

describe.skipIf(!hasAllTestServers)('a table whose rows change without a trace in the log', () => {
  let names: ServerNames
  let mysql: MysqlSession
  beforeAll(async () => {
    names = await createServerNames()
    mysql = createMysqlSession(names.mysql)
    await using migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  })
  afterAll(async () => {
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  const run = (name: string, ...args: string[]) => spawnProgram(name, args, names.env)
  const startCapture = () =>
    spawnProgram('start', ['cdc-indexer'], { ...names.env, METRICS_PORT: String(freePort()) })
  const isIndexed = async () => (await run('search', 'verify', '--all').exited) === 0

  test('a restored or an emptied one: capture stops, and snapshot of that table mends the index', async () => {
    {
      await using capture = startCapture()
      await mysql.query(insertPosts(IDS))
      await eventually(isIndexed)
      for (const statement of [
        'CREATE TABLE of_yesterday LIKE posts',
        'INSERT INTO of_yesterday SELECT * FROM posts WHERE id <= 4',
        "UPDATE of_yesterday SET text = 'as it was' WHERE id = 1",
        'RENAME TABLE posts TO broken, of_yesterday TO posts',
      ]) {
        await mysql.query(statement)
      }
      expect(await capture.exited).toBe(1)
      expect(capture.output()).toContain('run "snapshot posts"')
    }
    // Beside those that the sweep must remove: changes that it must keep.
    await mysql.query(insertPosts([9]))
    const mend = run('snapshot', 'posts')
    await using capture = startCapture()
    expect([await mend.exited, mend.output()]).toEqual([0, expect.stringContaining('4 posts')])
    await eventually(isIndexed)

    await mysql.query('TRUNCATE /* all of it */ TABLE posts')
    expect(await capture.exited).toBe(1)
    const again = run('snapshot', 'posts')
    await using _capture = startCapture()
    expect([await again.exited, again.output()]).toEqual([0, expect.stringContaining('5 posts')])
    await eventually(isIndexed)
  }, 180_000)

  /** Each kind of stop, and the command that its line names: only one that carries on is one. */
  test.each<[string, string, readonly string[]]>([
    [
      'statements in place of rows, of one table',
      'snapshot posts',
      [
        STATEMENTS,
        "UPDATE posts SET text = CONCAT(text, '!') WHERE id = 1",
        'DELETE FROM posts WHERE id = 2',
        ROWS,
      ],
    ],
    [
      'a function that changes rows',
      'snapshot',
      [
        'CREATE FUNCTION forget(wanted BIGINT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM posts WHERE id = wanted; RETURN 1; END',
        STATEMENTS,
        'DO forget(3)',
        ROWS,
        'DROP FUNCTION forget',
      ],
    ],
    [
      'a table that is another one, in two steps',
      'snapshot posts',
      ['CREATE TABLE spare LIKE posts', 'DROP TABLE posts', 'RENAME TABLE spare TO posts'],
    ],
  ])(
    '%s: one command goes on',
    async (_, command, statements) => {
      await mysql.query('DELETE FROM posts')
      await mysql.query(insertPosts(IDS))
      {
        await using capture = startCapture()
        await eventually(isIndexed)
        for (const statement of statements) await mysql.query(statement)
        expect(await capture.exited).toBe(1)
        expect(capture.output()).toContain(`run "${command}", and start cdc-indexer`)
      }
      await mysql.query(insertPosts([10]))
      const [name = '', ...args] = command.split(' ')
      const mend = run(name, ...args)
      await using _capture = startCapture()
      expect(await mend.exited).toBe(0)
      await eventually(isIndexed)
    },
    120_000,
  )
})
