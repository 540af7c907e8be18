import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { makeCertificates } from '@sns/shared/testing/certificates'
import { hasKafkaServer } from '@sns/shared/testing/kafka-server'
import { hasMysqlServer } from '@sns/shared/testing/mysql-server'
import { redisServerBinary } from '@sns/shared/testing/redis-server'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { spawnProgram } from '../../scripts/process/program-process'
import { startSuiteProcess } from '../../scripts/process/suite-process'
import { startEncryptedElasticsearch } from '../encrypted/elasticsearch'
import {
  type EncryptedServer,
  MIGRATE,
  type ProgramLine,
  WRONG_AUTHORITY,
  WRONG_PASSWORD,
} from '../encrypted/encrypted-server'
import { startEncryptedKafka } from '../encrypted/kafka'
import { startEncryptedMysql } from '../encrypted/mysql'
import { startEncryptedRedis } from '../encrypted/redis'
import { liveThroughTheMainJob } from '../journey'

const missing = Object.entries({
  mysqld: hasMysqlServer,
  'redis-server': redisServerBinary !== null,
  Kafka: hasKafkaServer,
}).flatMap(([name, isHere]) => (isHere ? [] : [name]))
if (missing.length > 0) console.log(`SKIPPED: no ${missing.join(', ')} here to start encrypted`)

/** What migrate says of steps that are done. */
const PROGRESS = /^\w+: \d+\/\d+ · /

/** Programs that run at once. */
const AT_ONCE = 4

describe.skipIf(!hasAllTestServers || missing.length > 0)('servers that demand encryption', () => {
  const opened = new AsyncDisposableStack()
  let names: ServerNames
  let servers: readonly EncryptedServer[]
  let redis: Awaited<ReturnType<typeof startEncryptedRedis>>
  let elasticsearch: ReturnType<typeof startEncryptedElasticsearch>
  /** By server and settings, what came of it. */
  const matrix = new Map<string, Map<string, string>>()

  beforeAll(async () => {
    names = opened.use(await createServerNames())
    const certificates = opened.use(await makeCertificates())
    elasticsearch = opened.use(startEncryptedElasticsearch(certificates))
    const started = await Promise.all([
      startEncryptedMysql(certificates, names.database),
      startEncryptedRedis(certificates),
      startEncryptedKafka(certificates, names.database),
    ])
    for (const each of started) opened.use(each)
    redis = started[1]
    servers = [...started, elasticsearch]
  }, 180_000)

  afterAll(async () => {
    for (const [server, outcomes] of matrix) {
      for (const [settings, outcome] of outcomes)
        console.log(`${server} | ${settings} | ${outcome}`)
    }
    await opened.disposeAsync()
  })

  function note(server: string, settings: string, outcome: string) {
    const outcomes = matrix.get(server) ?? new Map<string, string>()
    matrix.set(server, outcomes.set(settings, outcome))
  }

  function environment(...more: readonly Readonly<Record<string, string>>[]) {
    const right = servers.map((server) => server.right)
    return Object.assign({}, names.env, ...right, { WEB_PORT: '0', METRICS_PORT: '0' }, ...more)
  }

  async function run([script, ...args]: ProgramLine, env: Readonly<Record<string, string>>) {
    await using program = spawnProgram(script, args, env)
    const code = await program.exited
    const lines = program
      .output()
      .trim()
      .split('\n')
      .filter((line) => !PROGRESS.test(line))
    return { code, lines, last: (lines.at(-1) ?? '').replace(/^\w+: /, '') }
  }

  test('the suite works with all of them, every connection encrypted', async () => {
    const env = environment()
    expect(await run(MIGRATE, env)).toMatchObject({ code: 0 })
    await using suite = await startSuiteProcess(env)
    await liveThroughTheMainJob(suite.url)
    expect(await redis.size()).toBeGreaterThan(0)
    expect(elasticsearch.paths.filter((path) => !/^\/es($|\/)/.test(path))).toEqual([])
    const commands: readonly ProgramLine[] = [
      ['feeds', 'verify', '--all'],
      ['search', 'verify', '--all'],
      ['snapshot', 'posts'],
      ['dlq', 'list'],
    ]
    for (const command of commands) {
      expect([command, await run(command, env)]).toEqual([
        command,
        expect.objectContaining({ code: 0 }),
      ])
    }
    for (const { name } of servers) note(name, 'right', 'works')
  }, 120_000)

  test('what else is right works, and with anything wrong programs end with one line that says what', async () => {
    const works = /^everything is up to date$/
    const cells = servers.flatMap(({ name, alsoRight, refusals }) => [
      ...Object.entries(alsoRight).map(([what, settings]) => {
        return { name, what, settings, program: MIGRATE, code: 0, says: works }
      }),
      ...refusals.flatMap(({ with: what, settings, programs, says }) =>
        programs.map((program) => ({ name, what, settings, program, code: 1, says })),
      ),
    ])
    const left = cells.values()
    const work = async () => {
      for (const { name, what, settings, program, code, says } of left) {
        const ended = await run(program, environment({ LOG_LEVEL: 'silent' }, settings))
        expect({ name, what, program, ...ended }).toEqual({
          name,
          what,
          program,
          code,
          lines: [expect.any(String)],
          last: expect.stringMatching(says),
        })
        expect(ended.last).not.toMatch(/wrong@|:wrong|p@ss|p%40ss/)
        note(name, what, code === 0 ? 'works' : ended.last)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }, 180_000)

  test('every server is asked with the wrong authority and the wrong password', () => {
    for (const { name, refusals } of servers) {
      const asked = refusals.map((refusal) => refusal.with)
      expect([name, asked]).toEqual([
        name,
        expect.arrayContaining([WRONG_AUTHORITY, WRONG_PASSWORD]),
      ])
    }
  })
})
