import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

describe.skipIf(!hasAllTestServers)('start api in several processes', () => {
  let names: ServerNames
  beforeAll(async () => {
    names = await createServerNames()
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
  })
  afterAll(() => names[Symbol.asyncDispose]())

  async function startTwo() {
    const [port, metricsPort] = [freePort(), freePortPair()]
    const program = spawnProgram('start', ['api'], {
      ...names.env,
      API_PROCESSES: '2',
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
    })
    const statusUrls = [metricsPort, metricsPort + 1].map((each) => `http://127.0.0.1:${each}`)
    for (const url of statusUrls) await program.ready(url, '/readyz')
    return Object.assign(program, { url: `http://127.0.0.1:${port}`, statusUrls })
  }

  test('both answer on one port, each with its own metrics, and stop cleanly', async () => {
    await using program = await startTwo()
    const served = async (statusUrl: string) => {
      const text = await (await fetch(`${statusUrl}/metrics`)).text()
      return /^sns_http_request_duration_seconds_count\{.*\} [1-9]/m.test(text)
    }
    await eventually(async () => {
      const response = await fetch(`${program.url}/v1/posts/1`, {
        headers: { connection: 'close' },
      })
      expect(response.status).toBe(401)
      return (await Promise.all(program.statusUrls.map(served))).every(Boolean)
    })
    expect(await program.stop()).toBe(0)
    for (const url of [program.url, ...program.statusUrls]) expect(await answers(url)).toBeFalse()
  }, 60_000)

  test('all stop when one of them dies, and the command says which', async () => {
    await using program = await startTwo()
    const [child] = childrenOf(program.pid)
    process.kill(child!, 'SIGKILL')
    expect(await program.exited).toBe(1)
    expect(program.output()).toMatch(/process [12] of 2 ended with code 137: stopped the others/)
    for (const url of program.statusUrls) expect(await answers(url)).toBeFalse()
  }, 60_000)

  test('none is left when the command is killed', async () => {
    await using program = await startTwo()
    process.kill(program.pid, 'SIGKILL')
    await program.exited
    for (const url of program.statusUrls) await eventually(async () => !(await answers(url)))
  }, 60_000)

  test('a port in use, and a WEB_PORT of 0, are refused before anything starts', async () => {
    using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    for (const [port, said] of [
      [String(other.port), `port ${other.port} on 127.0.0.1 is in use`],
      ['0', 'several API_PROCESSES need one port'],
    ] as const) {
      const env = { ...names.env, API_PROCESSES: '2', WEB_PORT: port }
      await using program = spawnProgram('start', ['api'], env)
      expect(await program.exited).toBeGreaterThan(0)
      expect(program.output()).toContain(said)
    }
  }, 60_000)

  test('all services in one process are not run several times', async () => {
    await using program = spawnProgram('start', [], { ...names.env, API_PROCESSES: '2' })
    expect(await program.exited).toBe(2)
    expect(program.output()).toContain('API_PROCESSES is for start api')
  })
})

/** A port whose next one is free, too. */
function freePortPair(): number {
  for (;;) {
    const port = freePort()
    try {
      Bun.listen({ hostname: '127.0.0.1', port: port + 1, socket: { data() {} } }).stop(true)
      return port
    } catch {
      // Taken: another pair.
    }
  }
}

function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'pid=', '--ppid', String(pid)])
  return stdout.toString().trim().split(/\s+/).map(Number)
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}
