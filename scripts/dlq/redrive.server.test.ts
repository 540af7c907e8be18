import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { postsAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { testElasticsearchClient } from '@sns/shared/testing/test-elasticsearch'
import { freePort, spawnProgram } from '../process/program-process'

/** The whole way of a document that the index cannot take, on the servers. */
describe.skipIf(!hasAllTestServers)('dead letters', () => {
  let names: ServerNames
  let mysql: MysqlSession
  beforeAll(async () => {
    names = await createServerNames()
    mysql = createMysqlSession(names.mysql)
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  }, 60_000)
  afterAll(async () => {
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  async function dlq(...args: string[]) {
    await using program = spawnProgram('dlq', args, names.env)
    return [await program.exited, program.output()] as const
  }

  async function verify() {
    await using program = spawnProgram('search', ['verify', '--all'], names.env)
    const code = await program.exited
    if (code) console.log(program.output())
    return code
  }

  test('are kept, listed, shown, given again when the index takes them, and dropped', async () => {
    const alias = postsAlias(names.env.KEY_PREFIX ?? '')
    await using client = testElasticsearchClient()
    // Author 7's posts cannot be indexed while a field of theirs is of a type that they do not fit.
    const [index = ''] = Object.keys(
      await client.call((api, options) => api.indices.getAlias({ name: alias }, options)),
    )
    expect(index).not.toBe('')
    const refuse = (isOn: boolean) =>
      client.call((api, options) =>
        api.ingest.putPipeline(
          {
            id: alias,
            processors: [
              isOn
                ? { set: { field: 'createdAt', value: 'no time', if: 'ctx.authorId == 7' } }
                : { set: { field: 'createdAt', copy_from: 'createdAt' } },
            ],
          },
          options,
        ),
      )
    await refuse(true)
    await client.call((api, options) =>
      api.indices.putSettings({ index, settings: { default_pipeline: alias } }, options),
    )
    const port = freePort()
    await using indexer = spawnProgram('start', ['cdc-indexer'], {
      ...names.env,
      METRICS_PORT: String(port),
    })
    await mysql.query(insertPosts([1, 2, 3]))
    await mysql.query(
      'INSERT INTO posts (id, author_id, text, version, created_at, edited_at, updated_at) VALUES (4, 8, "fine", 1, 1, null, 1)',
    )
    await eventually(async () => (await dlq('list'))[1].includes('3 dead letters'), {
      timeoutMs: 60_000,
    })
    const [, shown] = await dlq('show', 'posts/2')
    expect(JSON.parse(shown)).toMatchObject({
      stage: 'index',
      attempts: 1,
      change: { op: 'c', after: { id: 2, author_id: 7 } },
    })
    expect(JSON.parse(shown).reason).toContain('document_parsing_exception')

    // Still wrong: they stay, with one more attempt.
    const [failed, output] = await dlq('redrive', '--all')
    expect([failed, output]).toEqual([1, expect.stringContaining('3 rejected again')])
    expect((await dlq('list'))[1]).toContain('tried 2')

    // One is overtaken, one is gone, one is given again.
    await refuse(false)
    await mysql.query("UPDATE posts SET text = 'newer', version = 2 WHERE id = 1")
    await mysql.query('DELETE FROM posts WHERE id = 2')
    await eventually(async () => {
      const { count } = await client.call((api, options) =>
        api.count({ index: alias, query: { match: { text: 'newer' } } }, options),
      )
      return count === 1
    })
    expect(await dlq('redrive', '--all')).toEqual([
      0,
      expect.stringContaining('1 applied, 2 overtaken by what is newer, 0 rejected again'),
    ])
    expect((await dlq('list'))[1]).toContain('0 dead letters')
    await eventually(async () => (await verify()) === 0)

    await refuse(true)
    await mysql.query(insertPosts([5]))
    await eventually(async () => (await dlq('list'))[1].includes('1 dead letters'))
    expect((await dlq('drop', 'posts/9'))[0]).toBe(1)
    expect(await dlq('drop', 'posts/5')).toEqual([
      0,
      expect.stringContaining('1 dead letters dropped'),
    ])
    expect((await dlq('list'))[1]).toContain('0 dead letters')
    await client.call((api, options) =>
      api.indices.putSettings({ index, settings: { default_pipeline: '_none' } }, options),
    )
    await client.call((api, options) => api.ingest.deletePipeline({ id: alias }, options))
    expect(indexer.output()).toContain('the search index rejected a document')
  }, 180_000)
})
