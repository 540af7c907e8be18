import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { createClientAddress } from '@sns/api/security/client-address'
import { networks } from '@sns/shared/config/parsers'
import { SETTINGS } from '@sns/shared/config/settings'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort } from '../../scripts/process/program-process'
import {
  CADDY_FILE,
  COMPOSE_CADDY_FILE,
  caddy,
  layOutNginx,
  NGINX_FILE,
  nginx,
  startComposeProxy,
} from '../proxies'

const tls = { rejectUnauthorized: false }

for (const { name, binary } of [nginx, caddy]) {
  if (!binary) console.log(`SKIPPED: no ${name} here to try its example configuration with`)
}

describe.each([
  ['nginx', NGINX_FILE],
  ['Caddy', CADDY_FILE],
])('the example for %s', (_, file) => {
  const text = readFileSync(file, 'utf8')

  test('forwards to the public ports of two apis, and to no operators’ port', () => {
    const addresses = [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
    expect(addresses).toHaveLength(2)
    expect(addresses).toContain(SETTINGS.web.port.default)
    for (const port of Object.values(SETTINGS.metricsPort.default)) {
      expect(addresses).not.toContain(port)
    }
  })
})

test.skipIf(nginx.binary === null)('nginx takes its example without a complaint', async () => {
  await using folder = await temporaryFolder()
  const ports = { port: freePort(), httpPort: freePort(), ports: [8000, 8010] } as const
  const { command } = await layOutNginx(folder.path, ports)
  const check = Bun.spawnSync([...command, '-t'])
  const said = check.stderr.toString().trim().split('\n')
  expect(said.filter((line) => !/syntax is ok|test is successful/.test(line))).toEqual([])
  expect(check.exitCode).toBe(0)
})

describe.each([
  ['its example', CADDY_FILE],
  ['the file of compose', COMPOSE_CADDY_FILE],
])('Caddy', (what, file) => {
  test.skipIf(caddy.binary === null)(`takes ${what}, which has no other format`, async () => {
    await using folder = await temporaryFolder()
    const env = { HOME: folder.path, SUBNET: '172.30.86.0/24' }
    const run = (...args: string[]) => Bun.spawnSync([caddy.binary!, ...args], { env })
    const validated = run('validate', '--config', file, '--adapter', 'caddyfile')
    expect(validated.stderr.toString()).not.toMatch(/"level":"(warn|error)"/)
    expect(validated.exitCode).toBe(0)
    expect(run('fmt', file).stdout.toString()).toBe(readFileSync(file, 'utf8'))
  })
})

describe('the proxy of compose', () => {
  const serveAt = (hostname: string, port: number) =>
    Bun.serve({
      port,
      hostname,
      fetch: (request) => Response.json({ hostname, from: request.headers.get('x-forwarded-for') }),
    })
  const isHere = caddy.binary !== null

  test.skipIf(!isHere)(
    'spreads requests over all containers of the api, and finds one that comes later',
    async () => {
      const port = freePort()
      const containers = ['127.0.0.1']
      await using _first = serveAt('127.0.0.1', port)
      await using _second = serveAt('127.0.0.2', port)
      await using proxy = await startComposeProxy(port, '127.0.0.0/8', () => containers)
      const answeredBy = async () =>
        ((await (await fetch(proxy.url)).json()) as { hostname: string }).hostname
      for (let n = 0; n < 10; n++) expect(await answeredBy()).toBe('127.0.0.1')
      containers.push('127.0.0.2')
      await eventually(async () => (await answeredBy()) === '127.0.0.2')
      containers.shift()
      await eventually(async () => {
        const answers = await Promise.all(Array.from({ length: 10 }, answeredBy))
        return answers.every((each) => each === '127.0.0.2')
      })
    },
  )

  test.skipIf(!isHere)(
    'tells the address that a TLS proxy before it saw, and no stranger’s claim',
    async () => {
      const port = freePort()
      await using _api = serveAt('127.0.0.1', port)
      const headers = { 'x-forwarded-for': '203.0.113.7' }
      const toldBehind = async (subnet: string) => {
        await using proxy = await startComposeProxy(port, subnet)
        const answer = (await (await fetch(proxy.url, { headers })).json()) as { from: string }
        const address = createClientAddress(networks(subnet))
        return address('127.0.0.1', answer.from)
      }
      expect(await toldBehind('127.0.0.0/8')).toBe('203.0.113.7')
      expect(await toldBehind('172.30.86.0/24')).toBe('127.0.0.1')
    },
  )
})

describe.each([nginx, caddy].map((each) => [each.name, each] as const))('%s', (_, program) => {
  /** An api that says what reached it. */
  function echo(port: number) {
    return Bun.serve({
      port,
      hostname: '127.0.0.1',
      fetch: async (request) =>
        Response.json({
          port,
          address: request.headers.get('x-forwarded-for'),
          scheme: request.headers.get('x-forwarded-proto'),
          bytes: (await request.arrayBuffer()).byteLength,
        }),
    })
  }

  test.skipIf(program.binary === null)(
    'says who asks, bounds bodies, and asks the other api where one is gone',
    async () => {
      const ports = [freePort(), freePort()] as const
      await using _second = echo(ports[1])
      await using proxy = await program.start(ports)
      const ask = (init: RequestInit = {}) => fetch(`${proxy.url}/v1/posts`, { ...init, tls })

      const headers = { 'x-forwarded-for': '203.0.113.7' }
      const told = await (await ask({ headers })).json()
      expect(told).toMatchObject({
        address: '127.0.0.1',
        scheme: new URL(proxy.url).protocol.slice(0, -1),
      })
      expect((await ask({ method: 'POST', body: 'x'.repeat(64 * 1024) })).status).toBe(200)
      const tooLarge = await ask({ method: 'POST', body: 'x'.repeat(200_000) })
      // Caddy 2.6, which Debian has, takes its own refusal for the api's failure.
      expect(program === caddy ? [413, 502] : [413]).toContain(tooLarge.status)

      const post = async () => {
        const answer = await ask({ method: 'POST', body: 'x' })
        expect(answer.status).toBe(200)
        return ((await answer.json()) as { port: number }).port
      }
      for (let n = 0; n < 20; n++) expect(await post()).toBe(ports[1])
      await using _first = echo(ports[0])
      await eventually(async () => (await post()) === ports[0])
    },
  )
})
