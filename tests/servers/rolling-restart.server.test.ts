import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'
import { caddy, nginx } from '../proxies'

const CLIENTS = 8
/** What each client has done before and after each restart, so that there is load all the time. */
const REQUESTS_BETWEEN = 20

for (const { name, binary } of [nginx, caddy]) {
  if (!binary) console.log(`SKIPPED: no ${name} here to restart two apis behind`)
}

describe.skipIf(!hasAllTestServers)('a rolling restart', () => {
  let names: ServerNames
  beforeAll(async () => {
    names = await createServerNames()
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  })
  afterAll(() => names?.[Symbol.asyncDispose]())

  describe.each([nginx, caddy].map((each) => [each.name, each] as const))(
    'of two apis behind %s',
    (_, proxyProgram) => {
      test.skipIf(proxyProgram.binary === null)(
        'fails no request',
        async () => {
          await using opened = new AsyncDisposableStack()
          const ports = [freePort(), freePort()] as const
          const running = new Map<number, ProgramProcess>()
          const start = async (port: number) => {
            // The delay that is the default: the proxies' examples are made for it.
            const env = { ...names.env, WEB_PORT: String(port), DRAIN_DELAY: '' }
            const program = opened.use(spawnProgram('start', ['api'], env))
            await program.ready(`http://127.0.0.1:${port}`)
            running.set(port, program)
          }
          await Promise.all(ports.map(start))
          const proxy = opened.use(await proxyProgram.start(ports))
          const load = await startLoad(proxy.url, ports[0])
          await load.goOn()
          for (const port of ports) {
            await proxy.leaveOut(port)
            expect(await running.get(port)!.stop()).toBe(0)
            await load.goOn()
            await start(port)
            await proxy.leaveOut(null)
            await load.goOn()
          }
          const { answered, failures } = await load.stop()
          expect(failures).toEqual([])
          expect(answered).toBeGreaterThan(CLIENTS * REQUESTS_BETWEEN * 5)
        },
        120_000,
      )
    },
  )
})

/** Reads and writes by turns, by clients that open a connection for each: a proxy closes kept ones too. */
async function startLoad(url: string, directPort: number) {
  // Not through the proxy: the client here asks for a certificate that it can check.
  const { token } = await signUp(`http://127.0.0.1:${directPort}`, 'somebody')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const tls = { rejectUnauthorized: false }
  const failures: string[] = []
  let answered = 0
  let stopped = false
  let waiting: { readonly until: number; readonly reached: () => void } | null = null

  async function ask(method: string, path: string, body?: string): Promise<void> {
    const init = { method, headers, tls, keepalive: false, ...(body === undefined ? {} : { body }) }
    try {
      const answer = await fetch(url + path, init)
      const text = await answer.text()
      if (!answer.ok) failures.push(`${method} ${path}: ${answer.status} ${text}`)
    } catch (error) {
      failures.push(`${method} ${path}: ${error}`)
    }
    answered++
    if (waiting && answered >= waiting.until) waiting.reached()
  }
  async function client(): Promise<void> {
    while (!stopped) {
      await ask('GET', '/v1/feed')
      await ask('POST', '/v1/posts', '{"text":"written while the apis restart"}')
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  return {
    async goOn(): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting = { until: answered + CLIENTS * REQUESTS_BETWEEN, reached: resolve }
      await promise
    },
    async stop() {
      stopped = true
      await Promise.all(clients)
      return { answered, failures }
    },
  }
}
