import { describe, expect, test } from 'bun:test'
import { createMysqlCheckpointStore } from '@sns/cdc-indexer/capture/mysql/checkpoint-store'
import { createMysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { readKafkaRecords } from '@sns/cdc-indexer/capture/testing/kafka-records'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import { spawnProgram } from '../../scripts/process/program-process'
import { startSuiteProcess } from '../../scripts/process/suite-process'
import { canRunDebezium, startDebezium } from '../debezium'
import { liveThroughTheMainJob } from '../journey'
import { createMigratedNames } from '../server-suite'

describe.skipIf(!canRunDebezium)('Debezium', () => {
  test('writes the records that our capture writes: keys, rows, operations, tombstones', async () => {
    await using names = await createMigratedNames()
    await using mysql = createMysqlSession(names.mysql)
    const theirs = `${names.database}.debezium`
    await using _debezium = await startDebezium(names.database, theirs)
    await using _ours = spawnProgram('start', ['cdc-indexer'], names.env)
    const write = async (...statements: string[]) => {
      for (const statement of statements) await mysql.query(statement)
    }
    await write(
      "INSERT INTO users (id, username, display_name, created_at, updated_at) VALUES (1, 'Ann', '앤 🙂', 1, 1)",
      "INSERT INTO posts (id, author_id, text, version, created_at, edited_at, updated_at) VALUES (9007199254740991, 1, '“한글” \\\\ \\n 👨‍👩‍👧', 1, 1700000000000, NULL, 1), (2, 1, '', 1, 1, NULL, 1)",
      'BEGIN',
      "UPDATE posts SET text = 'edited', version = 2, edited_at = 5 WHERE id = 2",
      "UPDATE posts SET text = 'twice', version = 3, edited_at = 6 WHERE id = 2",
      'COMMIT',
      'UPDATE posts SET id = 3 WHERE id = 2',
      'INSERT INTO follows (follower_id, followee_id, id, created_at) VALUES (1, 2, 7, 1)',
      'DELETE FROM follows WHERE follower_id = 1',
      'DELETE FROM posts WHERE id = 3',
      'INSERT INTO likes (user_id, post_id, created_at) VALUES (1, 9007199254740991, 1)',
    )
    const client = testKafkaClient()
    const read = async (prefix: string) => {
      const topics = ['users', 'posts', 'follows', 'likes'].map(
        (table) => `${prefix}.${names.database}.${table}`,
      )
      const records = await readKafkaRecords(client, topics, 14)
      return records
        .map(({ topic, key, value }) => {
          const { before, after, op, source } = value === null ? ({} as never) : JSON.parse(value)
          return {
            topic: topic.slice(prefix.length),
            key,
            ...(value === null
              ? { isTombstone: true }
              : { before, after, op, table: source.table, gtid: source.gtid, row: source.row }),
          }
        })
        .toSorted((a, b) => `${a.topic} ${a.key}`.localeCompare(`${b.topic} ${b.key}`))
    }
    expect(await read(theirs)).toEqual(await read(names.database))
  }, 180_000)

  test('publishes in the place of our capture: fan-out and search work by it', async () => {
    await using names = await createMigratedNames()
    // Whoever has the lock captures: ours stands by.
    const checkpoints = createMysqlCheckpointStore(names.mysql)
    const lease = await checkpoints.acquire()
    if (!lease) throw new Error('somebody captures')
    await using _lease = lease
    const before = await checkpoints.load()
    if (!before) throw new Error('nothing was migrated')
    await using _debezium = await startDebezium(names.database, names.database)
    await using suite = await startSuiteProcess(names.env)
    await liveThroughTheMainJob(suite.url)
    // Ours published nothing; it would begin above what was counted of Debezium's.
    expect(await checkpoints.load()).toEqual({ ...before, epochs: expect.anything() })
  }, 180_000)
})
