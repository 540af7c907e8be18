import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Certificates, makeCertificates } from '@sns/shared/testing/certificates'
import {
  type RedisCluster,
  type RedisServer,
  redisServerBinary,
  startRedisCluster,
  startRedisServer,
} from '@sns/shared/testing/redis-server'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'

if (!redisServerBinary) console.log('SKIPPED: no redis-server here to start with certificates')

const account = { user: 'sns', password: 'right' }

describe.skipIf(!hasAllTestServers || !redisServerBinary)('a Redis that demands encryption', () => {
  const opened = new AsyncDisposableStack()
  let names: ServerNames
  let certificates: Certificates
  let server: RedisServer
  let cluster: RedisCluster

  beforeAll(async () => {
    names = opened.use(await createServerNames())
    certificates = opened.use(await makeCertificates())
    server = opened.use(await startRedisServer({ tls: certificates, account }))
    cluster = opened.use(await startRedisCluster({ tls: certificates, account }))
    await using migrate = spawnProgram('migrate', [], names.env)
    expect(await migrate.exited).toBe(0)
  }, 120_000)
  afterAll(() => opened.disposeAsync())

  const urlOf = (kind: string, { user, password } = account) =>
    kind === 'server'
      ? `rediss://${user}:${password}@127.0.0.1:${server.port}`
      : `rediss+cluster://${user}:${password}@${cluster.servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`

  test.each(['server', 'cluster'])(
    '%s: feeds are kept there, with REDIS_PASSWORD beside the URL',
    async (kind) => {
      const port = freePort()
      const env = {
        ...names.env,
        REDIS_URL: urlOf(kind).replace(`:${account.password}@`, '@'),
        REDIS_PASSWORD: account.password,
        REDIS_CA: certificates.ca,
        RATE_LIMIT: 'on',
      }
      await using api = spawnProgram('start', ['api'], { ...env, WEB_PORT: String(port) })
      const url = `http://127.0.0.1:${port}`
      await api.ready(url)
      const { client } = await signUp(url, 'kept')
      expect((await client.v1.feed.get()).status).toBe(200)
      const servers: readonly RedisServer[] = kind === 'server' ? [server] : cluster.servers
      const sizes = await Promise.all(servers.map((each) => each.command('DBSIZE')))
      expect(Math.max(...sizes.map(Number))).toBeGreaterThan(0)
      await using verify = spawnProgram('feeds', ['verify', '--all'], env)
      expect([await verify.exited, verify.output()]).toEqual([0, expect.any(String)])
    },
    60_000,
  )

  test.each([
    [
      'server',
      'the wrong authority',
      {},
      (): string => certificates.otherCa,
      /^REDIS_CA: the certificate of Redis at 127\.0\.0\.1:\d+ is not accepted/,
    ],
    ['server', 'no authority', {}, (): string => '', /^REDIS_CA: the certificate of Redis/],
    [
      'server',
      'the wrong password',
      { password: 'wrong' },
      (): string => certificates.ca,
      /^REDIS_URL: Redis at 127\.0\.0\.1:\d+ refuses the user or password/,
    ],
    [
      'server',
      'the wrong user',
      { user: 'default' },
      (): string => certificates.ca,
      /^REDIS_URL: Redis at/,
    ],
    [
      'cluster',
      'the wrong authority',
      {},
      (): string => certificates.otherCa,
      /^REDIS_CA: the certificate of Redis/,
    ],
    [
      'cluster',
      'the wrong password',
      { password: 'wrong' },
      (): string => certificates.ca,
      /^REDIS_URL: Redis at/,
    ],
  ] as const)(
    '%s: with %s programs end with one line',
    async (kind, _, changes, ca, why) => {
      const env = {
        ...names.env,
        REDIS_URL: urlOf(kind, { ...account, ...changes }),
        REDIS_CA: ca(),
        WEB_PORT: '0',
        LOG_LEVEL: 'silent',
      }
      const programs = [
        ['start', 'api'],
        ['start', 'fanout-worker'],
      ]
      const run = async ([script = '', ...args]: string[]): Promise<string> => {
        await using program = spawnProgram(script, args, env)
        expect([script, await program.exited]).toEqual([script, 1])
        return program.output()
      }
      for (const output of await Promise.all(programs.map(run))) {
        expect(
          output
            .trim()
            .split('\n')
            .at(-1)
            ?.replace(/^\w+: /, ''),
        ).toMatch(why)
        expect(output).not.toContain('wrong@')
      }
    },
    60_000,
  )
})
