import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listSettings } from '@sns/shared/config/settings'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'
import { SERVER_EFFECTS } from '../server-setting-effects'
import { EFFECTS, ODD_SETTINGS, type OddSuite } from '../setting-effects'

const root = join(import.meta.dir, '../..')

/** Settings whose effect on a program another test shows: where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  API_PROCESSES: 'tests/servers/processes.server.test.ts',
  DRAIN_DELAY: 'tests/embedded/drain.test.ts',
  EVENT_MEMORY_MIB: 'services/api/src/main.test.ts',
  FEED_READS: 'services/api/src/main.test.ts',
  DATABASE_URL: 'tests/embedded/backup.test.ts',
  DATABASE_PASSWORD: 'tests/encrypted/mysql.ts',
  REDIS_PASSWORD: 'tests/encrypted/redis.ts',
  ES_API_KEY: 'tests/encrypted/elasticsearch.ts',
  ES_CA: 'tests/encrypted/elasticsearch.ts',
  KAFKA_SSL: 'tests/encrypted/kafka.ts',
  KAFKA_CA: 'tests/encrypted/kafka.ts',
  KAFKA_SASL_MECHANISM: 'tests/encrypted/kafka.ts',
  KAFKA_SASL_USERNAME: 'tests/encrypted/kafka.ts',
  KAFKA_SASL_PASSWORD: 'tests/encrypted/kafka.ts',
  REDIS_CA: 'tests/encrypted/redis.ts',
}

test('every setting is asked for its effect on a program that runs with an odd value', () => {
  const asked = [...Object.keys(EFFECTS), ...Object.keys(SERVER_EFFECTS), ...Object.keys(ELSEWHERE)]
  expect(asked.toSorted()).toEqual(
    listSettings()
      .map(({ name }) => name)
      .toSorted(),
  )
  for (const [name, file] of Object.entries(ELSEWHERE)) {
    expect(readFileSync(join(root, file), 'utf8')).toMatch(new RegExp(`\\b${name}\\b`))
  }
  for (const { name, default: preset } of listSettings()) {
    const odd = Object.entries(ODD_SETTINGS).find(([each]) => each === name)?.[1]
    if (odd !== undefined && name !== 'RATE_LIMIT') expect([name, odd]).not.toEqual([name, preset])
  }
})

describe('start, embedded, on odd settings', () => {
  let suite: OddSuite
  let program: ProgramProcess
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
    const [port, metricsPort] = [freePort(), freePort()]
    program = spawnProgram('start', [], {
      ...ODD_SETTINGS,
      DATABASE_URL: `sqlite:${join(folder.path, 'odd.db')}`,
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
    })
    const [url, statusUrl] = [port, metricsPort].map(
      (each) => `http://${ODD_SETTINGS.WEB_HOST}:${each}`,
    )
    suite = { url: url!, statusUrl: statusUrl!, output: program.output }
    await program.ready(suite.url)
  })
  afterAll(async () => {
    await program.crash()
    await folder[Symbol.asyncDispose]()
  })

  test.each(Object.entries(EFFECTS))('%s', (_, effect) => effect(suite), 30_000)

  test('DATABASE_URL', () => expect(existsSync(join(folder.path, 'odd.db'))).toBeTrue())

  test('DRAIN_DELAY', async () => {
    expect(await program.stop()).toBe(0)
    expect(program.output()).toContain('"leaveMs":1000')
  })
})

test('start goes on with the deletion of an account that was interrupted', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'sns.db')
  const port = freePort()
  const env = { DATABASE_URL: `sqlite:${path}`, WEB_PORT: String(port) }
  const url = `http://127.0.0.1:${port}`
  const start = async () => {
    const program = spawnProgram('start', [], env)
    await program.ready(url)
    return program
  }
  let gone = ''
  {
    await using program = await start()
    const [deleted, other] = await Promise.all([signUp(url, 'deleted'), signUp(url, 'other')])
    await deleted.client.v1.users({ username: other.username }).follow.put()
    await deleted.client.v1.posts.post({ text: 'still there' })
    gone = deleted.session.user.id
    expect(await program.stop()).toBe(0)
  }
  // As it is after the first transaction of a deletion.
  using database = new Database(path)
  for (const [table, column] of [
    ['accounts', 'user_id'],
    ['users', 'id'],
  ]) {
    database.query(`delete from ${table} where ${column} = ?`).run(gone)
  }
  database.query('insert into account_deletions values (?, ?)').run(gone, 1)
  const left = () =>
    ['follows where follower_id', 'posts where author_id', 'account_deletions where user_id'].map(
      (what) => database.query(`select 1 from ${what} = ?`).all(gone).length,
    )
  expect(left()).toEqual([1, 1, 1])

  await using _again = await start()
  await eventually(() => left().every((rows) => rows === 0))
}, 30_000)
