import { describe, expect, test } from 'bun:test'
import { StoreHalted } from '../errors/store-halted'
import { createMetrics } from '../observability/metrics'
import type { HealthCheck } from '../ports/health'
import { createOperatorAccess } from './operator-access'
import { createReadiness } from './readiness'
import { createStatusApp, type MemoryReport } from './status-app'

const operators = createOperatorAccess({ token: null })

const ok = (name: string): HealthCheck => ({ name, check: async () => {} })
const away = (name: string, optional = false): HealthCheck => ({
  name,
  optional,
  check: () => Promise.reject(new Error('connection refused to 10.0.0.1')),
})

async function ask(health: readonly HealthCheck[], path: string): Promise<Response> {
  const app = createStatusApp({
    metrics: createMetrics(),
    readiness: createReadiness(health),
    operators,
  })
  return app.handle(new Request(`http://localhost${path}`))
}

describe('status app', () => {
  test('is alive whatever is away', async () => {
    const answer = await ask([away('mysql')], '/livez')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'alive' })
  })

  test('is ready when every store answers', async () => {
    const answer = await ask([ok('mysql'), ok('redis')], '/readyz')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      status: 'ready',
      stores: { mysql: 'ok', redis: 'ok' },
    })
  })

  test('is not ready while something needed is away, and says which without saying why', async () => {
    const answer = await ask([away('mysql'), ok('redis')], '/readyz')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({
      status: 'not_ready',
      stores: { mysql: 'unavailable', redis: 'ok' },
    })
  })

  test('stays ready while only something optional is away', async () => {
    const answer = await ask([ok('mysql'), away('redis', true)], '/readyz')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ stores: { redis: 'unavailable' } })
  })

  test('gives metrics in the Prometheus format', async () => {
    const answer = await ask([], '/metrics')
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(await answer.text()).toContain('sns_feed_reads_total')
  })
})

describe('readiness', () => {
  test('a check that throws at once is away too', async () => {
    const readiness = createReadiness([
      {
        name: 'odd',
        check() {
          throw new Error('at once')
        },
      },
    ])
    expect(await readiness()).toEqual({ ready: false, stores: { odd: 'unavailable' } })
  })

  test('what an operator must mend is said, and of nothing else the message', async () => {
    const failing = (name: string, error: Error) => ({ name, check: () => Promise.reject(error) })
    const readiness = createReadiness([
      failing('index', new StoreHalted('the disk is full: free space')),
      failing('mysql', new Error('secret')),
    ])
    expect(await readiness()).toEqual({
      ready: false,
      stores: { index: 'unavailable', mysql: 'unavailable' },
      reasons: { index: 'the disk is full: free space' },
    })
    const answer = await ask([failing('index', new StoreHalted('free space'))], '/readyz')
    expect(await answer.json()).toEqual({
      status: 'not_ready',
      stores: { index: 'unavailable' },
      reasons: { index: 'free space' },
    })
  })

  test('a check that never answers is away after the timeout', async () => {
    const readiness = createReadiness([{ name: 'slow', check: () => new Promise(() => {}) }], {
      timeoutMs: 5,
    })
    expect(await readiness()).toEqual({ ready: false, stores: { slow: 'unavailable' } })
  })

  test('a process that is about to stop is not ready, whatever was answered a moment ago', async () => {
    const leaving = new AbortController()
    const readiness = createReadiness([ok('mysql')], { leaving: leaving.signal, now: () => 0 })
    expect(await readiness()).toEqual({ ready: true, stores: { mysql: 'ok' } })
    leaving.abort()
    expect(await readiness()).toEqual({
      ready: false,
      stores: { mysql: 'ok', process: 'unavailable' },
    })
  })

  test('asks the stores once however often it is asked, and anew when the answer is old', async () => {
    let asked = 0
    let now = 0
    const readiness = createReadiness(
      [
        {
          name: 'mysql',
          check: async () => {
            asked++
          },
        },
      ],
      { cacheMs: 1_000, now: () => now },
    )
    await Promise.all([readiness(), readiness(), readiness()])
    now = 999
    await readiness()
    expect(asked).toBe(1)
    now = 1_000
    await readiness()
    expect(asked).toBe(2)
  })

  describe('compares what the process keeps', () => {
    const report = { checked: 1, of: 2, differing: [], isBelieved: true }

    function verifying(verifyMemory: (sample: number) => AsyncGenerator<MemoryReport>) {
      const readiness = createReadiness([])
      const app = createStatusApp({ metrics: createMetrics(), readiness, operators, verifyMemory })
      return (query = '') =>
        app.handle(new Request(`http://localhost/memory/verify${query}`, { method: 'POST' }))
    }

    test('a report a line, all or a sample', async () => {
      const asked: number[] = []
      const post = verifying(async function* (sample) {
        asked.push(sample)
        yield report
        yield { ...report, checked: 2, differing: ['post 7'] }
      })
      const answer = await post('?sample=5')
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
      expect(
        (await answer.text())
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual([report, { ...report, checked: 2, differing: ['post 7'] }])
      await (await post()).text()
      expect(asked).toEqual([5, Number.POSITIVE_INFINITY])
      expect((await post('?sample=0')).status).toBe(400)
    })

    test('until the client leaves', async () => {
      let isOver = false
      const post = verifying(async function* () {
        try {
          for (;;) yield report
        } finally {
          isOver = true
        }
      })
      const reader = (await post()).body?.getReader()
      await reader?.read()
      await reader?.cancel()
      expect(isOver).toBeTrue()
    })

    test('only where it keeps something', async () => {
      const app = createStatusApp({
        metrics: createMetrics(),
        readiness: createReadiness([]),
        operators,
      })
      const request = new Request('http://localhost/memory/verify', { method: 'POST' })
      expect((await app.handle(request)).status).toBe(404)
    })
  })
})
