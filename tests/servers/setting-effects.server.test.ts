import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { ODD_SERVER_SETTINGS, type OddServerSuite, SERVER_EFFECTS } from '../server-setting-effects'
import { EFFECTS, ODD_SETTINGS } from '../setting-effects'

const { WEB_HOST: host } = ODD_SETTINGS

describe.skipIf(!hasAllTestServers)(
  'start api, fanout-worker and cdc-indexer on odd settings',
  () => {
    let names: ServerNames
    let suite: OddServerSuite
    let second: string
    const programs: ProgramProcess[] = []

    beforeAll(async () => {
      names = await createServerNames()
      const env = {
        ...names.env,
        ...ODD_SETTINGS,
        ...ODD_SERVER_SETTINGS,
        // The primary has all that it has: a replica that is never behind.
        DATABASE_READ_URLS: names.env.DATABASE_URL!,
      }
      await using migrate = spawnProgram('migrate', [], env)
      if ((await migrate.exited) !== 0) throw new Error(migrate.output())
      const start = async (service: string) => {
        const [url, statusUrl] = [freePort(), freePort()].map((port) => `http://${host}:${port}`)
        const program = spawnProgram('start', [service], {
          ...env,
          WEB_PORT: new URL(url!).port,
          METRICS_PORT: new URL(statusUrl!).port,
        })
        programs.push(program)
        await program.ready(statusUrl!)
        return { url: url!, statusUrl: statusUrl! }
      }
      const [api, other] = await Promise.all(
        ['api', 'api', 'fanout-worker', 'cdc-indexer'].map(start),
      )
      const output = () => programs.map((program) => program.output()).join('')
      suite = { ...api!, env, output }
      second = other!.url
    }, 120_000)
    afterAll(async () => {
      await Promise.all(programs.map((program) => program.crash()))
      await names?.[Symbol.asyncDispose]()
    })

    test.each(Object.entries({ ...EFFECTS, ...SERVER_EFFECTS }))(
      '%s',
      (_, effect) => effect(suite),
      60_000,
    )

    test('two apis share what one address may try with one username', async () => {
      const attempt = async (url: string) => {
        const answer = await fetch(`${url}/v1/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.31' },
          body: JSON.stringify({ username: 'shared', password: 'wrong' }),
        })
        return answer.status
      }
      const statuses: number[] = []
      for (let n = 0; n < 8; n++) statuses.push(await attempt(n % 2 === 0 ? suite.url : second))
      expect(statuses).toEqual([...Array.from({ length: 7 }, () => 401), 429])
    })
  },
)
