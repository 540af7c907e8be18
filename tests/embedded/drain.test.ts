import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

/** Longer than any test: what ends the process before is not the delay. */
const FOR_EVER = '300'

async function startSuite(env: Readonly<Record<string, string>>) {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const url = `http://127.0.0.1:${freePort()}`
  const program = opened.use(
    spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${join(folder.path, 'sns.db')}`,
      WEB_PORT: new URL(url).port,
      ...env,
    }),
  )
  await program.ready(url)
  const resources = opened.move()
  return { url, program, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test('SIGTERM: not ready at once, still answering, each connection ended by its answer', async () => {
  const metricsPort = String(freePort())
  await using suite = await startSuite({ DRAIN_DELAY: FOR_EVER, METRICS_PORT: metricsPort })
  const { url, program } = suite
  expect((await fetch(`${url}/livez`)).headers.get('connection')).not.toBe('close')
  process.kill(program.pid, 'SIGTERM')

  await eventually(async () => (await fetch(`${url}/readyz`)).status === 503)
  const told = await fetch(`http://127.0.0.1:${metricsPort}/readyz`)
  expect(await told.json()).toMatchObject({
    status: 'not_ready',
    stores: { sqlite: 'ok', process: 'unavailable' },
  })
  for (const [path, status] of [
    ['/livez', 200],
    ['/v1/feed', 401],
    ['/swagger', 200],
  ] as const) {
    const answer = await fetch(url + path)
    expect([path, answer.status, answer.headers.get('connection')]).toEqual([path, status, 'close'])
  }
  expect(program.output()).not.toContain('did not stop')
})

test('SIGTERM: exits with 0 after the delay', async () => {
  await using suite = await startSuite({ DRAIN_DELAY: '1' })
  expect(await suite.program.stop()).toBe(0)
})

test('Ctrl-C waits for no proxy', async () => {
  await using suite = await startSuite({ DRAIN_DELAY: FOR_EVER })
  process.kill(suite.program.pid, 'SIGINT')
  expect(await suite.program.exited).toBe(0)
})
