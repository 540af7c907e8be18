import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import type { ElasticsearchClient } from '@sns/shared/adapters/elasticsearch/client'
import { postsAlias, usersAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { createElasticsearchSearchIndex } from '@sns/shared/adapters/elasticsearch/search-index'
import { eventually } from '@sns/shared/testing/eventually'
import { anyPost } from '@sns/shared/testing/search-documents'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { testElasticsearchClient } from '@sns/shared/testing/test-elasticsearch'
import { type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { createMigratedNames } from '../server-suite'

const POSTS = 4_000

describe.skipIf(!hasAllTestServers)('a new index beside the old one', () => {
  let names: ServerNames
  let mysql: MysqlSession
  let indexer: ProgramProcess
  let written = 0
  let client: ElasticsearchClient
  const aliases = () => [postsAlias(names.database), usersAlias(names.database)] as const
  const run = (name: string, ...args: string[]) => spawnProgram(name, args, names.env)

  beforeAll(async () => {
    names = await createMigratedNames()
    client = testElasticsearchClient()
    mysql = createMysqlSession(names.mysql)
    const ids = Array.from({ length: POSTS }, (_, n) => n + 1)
    while (ids.length > 0) await mysql.query(insertPosts(ids.splice(0, 1_000), 'word'))
    indexer = run('start', 'cdc-indexer')
    await untilRight()
  }, 120_000)
  afterAll(async () => {
    await indexer?.[Symbol.asyncDispose]()
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
    await client?.[Symbol.asyncDispose]()
  })

  async function untilRight(): Promise<void> {
    await eventually(async () => (await run('search', 'verify', '--all').exited) === 0, {
      timeoutMs: 60_000,
    })
  }

  async function indexNow(): Promise<string> {
    const found = await client.call((api, options) =>
      api.indices.getAlias({ name: aliases()[0] }, options),
    )
    return Object.keys(found).join()
  }

  /** Writes and searches until told to stop; every search must find the posts that nobody touches. */
  function startTraffic() {
    const search = createElasticsearchSearchIndex(client, { prefix: names.database })
    let isOver = false
    const found: number[] = []
    const failures: unknown[] = []
    const writing = (async () => {
      while (!isOver) {
        const n = written++
        const id = 1_000 + (n % 500)
        await mysql.query(
          `UPDATE posts SET text = 'edit ${n}', version = version + 1 WHERE id = ${id}`,
        )
        if (n % 10 === 0) await mysql.query(`DELETE FROM posts WHERE id = ${2_000 + n / 10}`)
        if (n % 10 === 5) await mysql.query(insertPosts([100_000 + n]))
      }
    })()
    const searching = (async () => {
      while (!isOver) {
        try {
          const hits = await search.searchPosts({
            ...anyPost('word'),
            since: null,
            until: null,
            limit: 20,
          })
          found.push(hits.length)
        } catch (error) {
          failures.push(error)
        }
      }
    })()
    return {
      found,
      failures,
      async stop() {
        isOver = true
        await Promise.all([writing, searching])
      },
    }
  }

  test('is filled under writes, killed and resumed, and read from one moment to the next', async () => {
    const before = await indexNow()
    const traffic = startTraffic()
    const killed = run('reindex')
    await Bun.sleep(2_500)
    await killed.crash()
    expect(await indexNow()).toBe(before)
    const reindex = run('reindex')
    expect([await reindex.exited, reindex.output()]).toEqual([
      0,
      expect.stringContaining('searches read the new index now'),
    ])
    const after = await indexNow()
    expect(after).not.toBe(before)
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    expect(traffic.found.filter((hits) => hits !== 20)).toEqual([])
    expect(traffic.found.length).toBeGreaterThan(50)
    await untilRight()

    const more = startTraffic()
    const rollback = run('reindex', 'rollback')
    expect([await rollback.exited, rollback.output()]).toEqual([
      0,
      expect.stringContaining('searches read the previous index now'),
    ])
    await more.stop()
    expect(more.failures).toEqual([])
    expect(more.found.filter((hits) => hits !== 20)).toEqual([])
    expect(await indexNow()).toBe(before)
    await untilRight()

    const drop = run('reindex', 'drop')
    expect([await drop.exited, drop.output()]).toEqual([
      0,
      expect.stringContaining('deleted: previous'),
    ])
    const none = run('reindex', 'rollback')
    expect([await none.exited, none.output()]).toEqual([
      1,
      expect.stringContaining('no previous index'),
    ])
  }, 180_000)

  test('is made and filled by the service itself where the old one was lost', async () => {
    for (const alias of aliases()) {
      const found = await client.call((api, options) =>
        api.indices.getAlias({ name: alias }, options),
      )
      await client.call((api, options) =>
        api.indices.delete({ index: Object.keys(found) }, options),
      )
    }
    await mysql.query(
      "UPDATE posts SET text = 'after the loss', version = version + 1 WHERE id = 7",
    )
    await untilRight()
  }, 120_000)
})
