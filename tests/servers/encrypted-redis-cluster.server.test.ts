import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Certificates, makeCertificates } from '@sns/shared/testing/certificates'
import {
  type RedisCluster,
  redisServerBinary,
  startRedisCluster,
} from '@sns/shared/testing/redis-server'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'
import { createMigratedNames } from '../server-suite'

if (!redisServerBinary) console.log('SKIPPED: no redis-server here to start with certificates')

const account = { user: 'sns', password: 'right' }

describe.skipIf(!hasAllTestServers || !redisServerBinary)(
  'a Redis Cluster that demands encryption',
  () => {
    const opened = new AsyncDisposableStack()
    let names: ServerNames
    let certificates: Certificates
    let cluster: RedisCluster

    beforeAll(async () => {
      names = opened.use(await createMigratedNames())
      certificates = opened.use(await makeCertificates())
      cluster = opened.use(await startRedisCluster({ tls: certificates, account }))
    }, 120_000)
    afterAll(() => opened.disposeAsync())

    const environment = (password: string, ca: string) => {
      const hosts = cluster.servers.map(({ port }) => `127.0.0.1:${port}`)
      return {
        ...names.env,
        REDIS_URL: `rediss+cluster://${account.user}@${hosts.join(',')}`,
        REDIS_PASSWORD: password,
        REDIS_CA: ca,
        WEB_PORT: '0',
      }
    }

    test('feeds are kept there, with REDIS_PASSWORD beside the URL', async () => {
      const port = freePort()
      const env = environment(account.password, certificates.ca)
      const own = { ...env, WEB_PORT: String(port), RATE_LIMIT: 'on' }
      await using api = spawnProgram('start', ['api'], own)
      const url = `http://127.0.0.1:${port}`
      await api.ready(url)
      const { client } = await signUp(url, 'kept')
      expect((await client.v1.feed.get()).status).toBe(200)
      const sizes = await Promise.all(cluster.servers.map((each) => each.command('DBSIZE')))
      expect(Math.max(...sizes.map(Number))).toBeGreaterThan(0)
      await using verify = spawnProgram('feeds', ['verify', '--all'], env)
      expect([await verify.exited, verify.output()]).toEqual([0, expect.any(String)])
    }, 60_000)

    test.each([
      [
        'the wrong authority',
        () => environment(account.password, certificates.otherCa),
        /^REDIS_CA: the certificate of Redis/,
      ],
      [
        'the wrong password',
        () => environment('wrong', certificates.ca),
        /^REDIS_URL: Redis at 127\.0\.0\.1:\d+ refuses the user or password/,
      ],
    ])(
      'with %s programs end with one line',
      async (_, env, why) => {
        const run = async (service: string) => {
          await using program = spawnProgram('start', [service], {
            ...env(),
            LOG_LEVEL: 'silent',
          })
          expect([service, await program.exited]).toEqual([service, 1])
          return program.output()
        }
        for (const output of await Promise.all(['api', 'fanout-worker'].map(run))) {
          const last = output.trim().split('\n').at(-1) ?? ''
          expect(last.replace(/^\w+: /, '')).toMatch(why)
          expect(output).not.toContain('wrong@')
        }
      },
      60_000,
    )
  },
)
