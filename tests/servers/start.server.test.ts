import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'

const NOWHERE = '127.0.0.1:1'

describe.skipIf(!hasAllTestServers)('start and migrate on the servers', () => {
  let names: ServerNames
  beforeAll(async () => {
    names = await createServerNames()
  })
  afterAll(() => names[Symbol.asyncDispose]())

  async function run(script: string, args: readonly string[] = []) {
    await using program = spawnProgram(script, args, { ...names.env, WEB_PORT: '0' })
    return { code: await program.exited, output: program.output() }
  }

  async function startReady(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<ProgramProcess & { readonly url: string; readonly statusUrl: string }> {
    const [port, metricsPort] = [freePort(), freePort()]
    const program = spawnProgram('start', args, {
      ...names.env,
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ...env,
    })
    const statusUrl = `http://127.0.0.1:${metricsPort}`
    await program.ready(statusUrl, '/livez')
    return Object.assign(program, { url: `http://127.0.0.1:${port}`, statusUrl })
  }

  /** Waits: the first answer of a store may be slow. */
  function untilReadiness(url: string, status: number, stores: Readonly<Record<string, string>>) {
    return eventually(async () => {
      const response = await fetch(`${url}/readyz`)
      const body = (await response.json()) as { stores: Record<string, string> }
      expect({ status: response.status, stores: body.stores }).toMatchObject({ status, stores })
      return true
    })
  }

  test('nothing starts on a database that was not migrated', async () => {
    for (const service of ['api', 'fanout-worker', 'cdc-indexer']) {
      expect(await run('start', [service])).toEqual({
        code: 1,
        output: "sns: the database's tables are not there yet: run migrate\n",
      })
    }
  })

  test('migrate may run twice at once, and again', async () => {
    const [first, second] = await Promise.all([run('migrate'), run('migrate')])
    const again = await run('migrate')
    for (const { code, output } of [first, second, again]) {
      expect(output).toContain('everything is up to date')
      expect(code).toBe(0)
    }
  })

  test('all services in one process carry a post to feed and search, and stop cleanly', async () => {
    await using program = await startReady([], {})
    await untilReadiness(program.statusUrl, 200, { mysql: 'ok', redis: 'ok', elasticsearch: 'ok' })
    const { data } = await createClient(program.url).v1.auth.signup.post({
      username: 'all_in_one',
      password: 'correct horse',
    })
    const client = createClient(program.url, { token: data!.accessToken })
    await client.v1.posts.post({ text: 'carried through every server' })
    expect((await client.v1.feed.get({ query: {} })).data?.items).toHaveLength(1)
    await eventually(async () => {
      const { data } = await client.v1.search.posts.get({ query: { q: 'carried' } })
      return data?.items.length === 1
    })
    expect(await program.stop()).toBe(0)
  })

  test('the api is ready without Redis and Elasticsearch, and says so', async () => {
    await using program = await startReady(['api'], {
      REDIS_URL: `redis://${NOWHERE}`,
      ES_URL: `http://${NOWHERE}`,
    })
    await untilReadiness(program.statusUrl, 200, {
      mysql: 'ok',
      redis: 'unavailable',
      elasticsearch: 'unavailable',
    })
    const { data } = await createClient(program.url).v1.auth.signup.post({
      username: 'without_redis',
      password: 'correct horse',
    })
    const client = createClient(program.url, { token: data!.accessToken })
    await client.v1.posts.post({ text: 'written to MySQL alone' })
    expect((await client.v1.feed.get({ query: {} })).data?.items).toHaveLength(1)
    expect((await client.v1.search.posts.get({ query: { q: 'written' } })).status).toBe(503)
    expect(await program.stop()).toBe(0)
  })

  test.each([
    ['fanout-worker', { REDIS_URL: `redis://${NOWHERE}` }, { redis: 'unavailable', kafka: 'ok' }],
    ['fanout-worker', { KAFKA_BROKERS: NOWHERE }, { redis: 'ok', kafka: 'unavailable' }],
    ['cdc-indexer', { ES_URL: `http://${NOWHERE}` }, { elasticsearch: 'unavailable', kafka: 'ok' }],
    ['cdc-indexer', { KAFKA_BROKERS: NOWHERE }, { elasticsearch: 'ok', kafka: 'unavailable' }],
  ] as const)('%s waits, not ready, with %j', async (service, env, stores) => {
    await using program = await startReady([service], env)
    await untilReadiness(program.statusUrl, 503, stores)
    expect(await program.stop()).toBe(0)
  })
})
