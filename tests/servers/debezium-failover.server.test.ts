import { describe, expect, test } from 'bun:test'
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createMysqlSession, type MysqlServer } from '@sns/cdc-indexer/capture/mysql/session'
import { createKafkaChangeLog } from '@sns/shared/adapters/kafka/change-log'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { createMysqlLogSources } from '@sns/shared/adapters/mysql/log-sources'
import { documentVersion } from '@sns/shared/events/change-event'
import { sourceOf } from '@sns/shared/events/gtid'
import { eventually } from '@sns/shared/testing/eventually'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import { mysqlPairCommand, openMysqlPair } from '@sns/shared/testing/mysql-pair'
import { testServers } from '@sns/shared/testing/servers'
import { testMysqlSettings } from '@sns/shared/testing/sql-database'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { debeziumScript, hasDebezium, startDebezium } from '../debezium'
import { createMigratedNames } from '../server-suite'

const WAIT = { timeoutMs: 90_000 }

/** The script reads where the servers are from the stack beside it: here one that names the pair's address. */
async function scriptFor(folder: string, mysqlUrl: string): Promise<string> {
  const script = join(folder, 'peers/debezium/debezium')
  await mkdir(dirname(script), { recursive: true })
  for (const name of await readdir(dirname(debeziumScript))) {
    await copyFile(join(dirname(debeziumScript), name), join(dirname(script), name))
  }
  const stack = join(folder, 'stack/stack')
  const address = new URL(mysqlUrl)
  await Bun.write(
    stack,
    `#!/bin/sh\necho "TEST_DATABASE_URL='mysql://sns:sns@${address.host}' TEST_KAFKA_BROKERS='${testServers.kafka}'"\n`,
  )
  await mkdir(dirname(stack), { recursive: true })
  await chmod(stack, 0o755)
  await chmod(script, 0o755)
  return script
}

async function write(server: MysqlServer, statement: string): Promise<void> {
  await eventually(async () => {
    await using session = createMysqlSession(server, { timeoutMs: 2_000 })
    return session.query(statement).then(
      () => true,
      () => false,
    )
  }, WAIT)
}

describe.skipIf(!hasDebezium || !mysqlPairCommand)('Debezium follows MySQL', () => {
  test('through a switchover and the death of a primary, and the versions of its records grow', async () => {
    await using pair = await openMysqlPair('pair', '--semi-sync')
    await using names = await createMigratedNames(pair.url)
    await using folder = await temporaryFolder()
    await using _debezium = await startDebezium(names.database, names.database, {
      script: await scriptFor(folder.path, pair.url),
    })
    await using database = await connectMysql({
      ...testMysqlSettings(pair.url),
      database: names.database,
    })
    const client = testKafkaClient()
    await using log = createKafkaChangeLog(client, {
      prefix: names.database,
      database: names.database,
      sources: async () => createMysqlLogSources(database.db),
    })

    const documents = new Map<number, { version: bigint; text: string }>()
    const sources = new Set<string>()
    let stale = 0
    const member = () => {
      const stop = new AbortController()
      const consuming = log.consume({
        group: `${names.database}.test`,
        tables: ['posts'],
        needsSequence: true,
        maxBatch: 50,
        signal: stop.signal,
        async handle(events) {
          for (const event of events) {
            sources.add(sourceOf(event.source.gtid))
            const { id, text } = event.after ?? event.before
            const version = documentVersion(event)
            if (version < (documents.get(id)?.version ?? 0n)) stale += 1
            else documents.set(id, { version, text })
          }
        },
      })
      return {
        async [Symbol.asyncDispose]() {
          stop.abort()
          await consuming
        },
      }
    }

    let writes = 0
    const edit = async (count: number) => {
      for (let n = 0; n < count; n++) {
        writes += 1
        await write(
          names.mysql,
          `INSERT INTO posts (id, author_id, text, version, created_at, edited_at, updated_at)
           VALUES (${1 + (writes % 5)}, 7, 'w${writes}', 1, 1, NULL, 1) ON DUPLICATE KEY UPDATE text = 'w${writes}'`,
        )
      }
    }
    const expectSame = async () => {
      await using session = createMysqlSession(names.mysql)
      const rows = await session.query('SELECT id, text FROM posts ORDER BY id')
      const texts = Object.fromEntries(rows.map(({ id, text }) => [String(id), String(text)]))
      const found = () =>
        Object.fromEntries(
          [...documents].sort(([a], [b]) => a - b).map(([id, { text }]) => [id, text]),
        )
      await eventually(() => Bun.deepEquals(found(), texts), WAIT)
    }

    {
      await using _member = member()
      await edit(20)
      await expectSame()
      await pair.run('switchover')
      await edit(15)
      // Debezium is still connected to the old primary, which has them once it is a replica.
      await pair.run('rejoin')
      await expectSame()
    }
    // Whoever takes over goes on where that one has committed.
    await using _member = member()
    await edit(5)
    await pair.run('failover')
    await edit(15)
    await expectSame()
    expect(sources.size).toBe(2)
    expect(stale).toBe(0)
  }, 240_000)
})
