import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import type { ElasticsearchClient } from '@sns/shared/adapters/elasticsearch/client'
import { postsAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { eventually } from '@sns/shared/testing/eventually'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { testElasticsearchClient } from '@sns/shared/testing/test-elasticsearch'
import { spawnProgram } from '../../scripts/process/program-process'
import { createMigratedNames, startWorker } from '../server-suite'
import { metric } from '../setting-effects'

/** By what befell the index of posts: how, how it is mended, and what the operator is told. */
const HALTS: readonly (readonly [string, Change, Change, RegExp])[] = [
  [
    "the flood stage of the disk's watermark",
    block('read_only_allow_delete', true),
    block('read_only_allow_delete', null),
    /disk is nearly full.*free space/,
  ],
  ['a block of writes', block('write', true), block('write', null), /remove the block/],
  ['a read-only block', block('read_only', true), block('read_only', null), /remove the block/],
  [
    'a closed index',
    (client, index) => client.call((api, options) => api.indices.close({ index }, options)),
    (client, index) => client.call((api, options) => api.indices.open({ index }, options)),
    /closed: open it/,
  ],
]

type Change = (client: ElasticsearchClient, index: string) => Promise<unknown>

/** Of the one index; null lifts it. */
function block(name: string, value: true | null): Change {
  const settings = { index: { blocks: { [name]: value } } }
  return (client, index) =>
    client.call((api, options) => api.indices.putSettings({ index, settings }, options))
}

describe.skipIf(!hasAllTestServers)('an index that takes no writes', () => {
  let names: ServerNames
  let client: ElasticsearchClient
  let mysql: MysqlSession
  let worker: Awaited<ReturnType<typeof startWorker>>
  let written = 0

  beforeAll(async () => {
    names = await createMigratedNames()
    client = testElasticsearchClient()
    mysql = createMysqlSession(names.mysql)
    worker = await startWorker(names, 'cdc-indexer')
  }, 60_000)
  afterAll(async () => {
    await worker?.[Symbol.asyncDispose]()
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
    await client?.[Symbol.asyncDispose]()
  })

  const index = () => `${postsAlias(names.database)}-v1`
  const halted = () => metric(worker.url, 'sns_index_halted', {})
  const readiness = async () => {
    const answer = await fetch(`${worker.url}/readyz`)
    return { status: answer.status, reasons: ((await answer.json()) as Reasons).reasons }
  }

  async function write(): Promise<void> {
    const ids = Array.from({ length: 3 }, () => ++written)
    await mysql.query(insertPosts(ids, 'word'))
  }

  async function untilRight(): Promise<void> {
    await eventually(
      async () => (await spawnProgram('search', ['verify', '--all'], names.env).exited) === 0,
      { timeoutMs: 60_000 },
    )
    expect(await metric(worker.url, 'sns_index_documents_total', { outcome: 'rejected' })).toBe(0)
  }

  test.each(HALTS)(
    'halts indexing visibly, and loses nothing: %s',
    async (_, breakIt, mendIt, words) => {
      await breakIt(client, index())
      await write()
      await eventually(
        async () => {
          // Elasticsearch lifts the block of a full disk where the disk is not full, at any moment.
          if ((await halted()) === 1) return true
          await breakIt(client, index())
          return false
        },
        { timeoutMs: 30_000 },
      )
      await eventually(async () => (await readiness()).status === 503)
      const { reasons } = await readiness()
      expect(reasons?.index).toMatch(words)
      expect(worker.output()).toMatch(words)
      await mendIt(client, index())
      await eventually(async () => (await halted()) === 0, { timeoutMs: 30_000 })
      await eventually(async () => (await readiness()).status === 200, { timeoutMs: 30_000 })
      await untilRight()
    },
    120_000,
  )

  test('is made anew where it was lost, and that is no halt', async () => {
    await client.call((api, options) => api.indices.delete({ index: index() }, options))
    await write()
    await untilRight()
    expect(await halted()).toBe(0)
  }, 120_000)
})

interface Reasons {
  readonly reasons?: Readonly<Record<string, string>>
}
