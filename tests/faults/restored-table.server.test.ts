import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

setDefaultTimeout(60_000)

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
})
