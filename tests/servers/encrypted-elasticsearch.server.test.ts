import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Certificates, makeCertificates } from '@sns/shared/testing/certificates'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers, testServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'

const KEY = 'b2RkOmtleQ=='

describe.skipIf(!hasAllTestServers)('an Elasticsearch behind https, a path and an API key', () => {
  const opened = new AsyncDisposableStack()
  let names: ServerNames
  let certificates: Certificates
  let url: string
  let paths: string[]

  beforeAll(async () => {
    names = opened.use(await createServerNames())
    certificates = opened.use(await makeCertificates())
    paths = []
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert: Bun.file(certificates.cert), key: Bun.file(certificates.key) },
      async fetch(request) {
        const { pathname, search } = new URL(request.url)
        paths.push(pathname)
        const headers = new Headers(request.headers)
        if (headers.get('authorization') !== `ApiKey ${KEY}`) {
          return Response.json({ error: 'no' }, { status: 401 })
        }
        headers.delete('authorization')
        const to = `${testServers.elasticsearch}${pathname.replace(/^\/es/, '')}${search}`
        const { method } = request
        const body = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer()
        return fetch(to, { method, headers, body })
      },
    })
    opened.defer(() => server.stop(true))
    url = `https://127.0.0.1:${server.port}/es`
  }, 60_000)
  afterAll(() => opened.disposeAsync())

  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    ...names.env,
    ES_URL: url,
    ES_CA: certificates.ca,
    ES_API_KEY: KEY,
    WEB_PORT: '0',
    ...more,
  })

  test('indexes are made and searched there, also while a node of the list is away', async () => {
    await using migrate = spawnProgram('migrate', [], environment())
    expect([await migrate.exited, migrate.output()]).toEqual([0, expect.any(String)])
    const port = freePort()
    const list = `https://127.0.0.1:1/es,${url}`
    const env = environment({ ES_URL: list, WEB_PORT: String(port) })
    await using api = spawnProgram('start', ['api'], env)
    const origin = `http://127.0.0.1:${port}`
    await api.ready(origin)
    const { client } = await signUp(origin, 'searching')
    for (let n = 0; n < 5; n++) {
      expect((await client.v1.search.posts.get({ query: { q: 'odd' } })).status).toBe(200)
    }
    expect(paths.filter((path) => !path.startsWith('/es/') && path !== '/es')).toEqual([])
  }, 60_000)

  test.each([
    ['the wrong authority', () => ({ ES_CA: certificates.otherCa }), /^ES_CA: the certificate of/],
    ['no authority', () => ({ ES_CA: '' }), /^ES_CA: the certificate of/],
    [
      'the wrong key',
      () => ({ ES_API_KEY: 'wrong' }),
      /check ES_ID and ES_PASSWORD, or ES_API_KEY/,
    ],
  ])(
    'with %s migrate ends with one line',
    async (_, changes: () => Record<string, string>, why) => {
      await using migrate = spawnProgram('migrate', [], environment(changes()))
      expect(await migrate.exited).toBe(1)
      const last = migrate.output().trim().split('\n').at(-1) ?? ''
      expect(last.replace(/^\w+: /, '')).toMatch(why)
    },
    60_000,
  )
})
