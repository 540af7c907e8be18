import { describe, expect, test } from 'bun:test'
import { createMetrics } from '../observability/metrics'
import type { HealthCheck } from '../ports/health'
import { createReadiness } from './readiness'
import { createStatusApp } from './status-app'

const ok = (name: string): HealthCheck => ({ name, check: async () => {} })
const away = (name: string, optional = false): HealthCheck => ({
  name,
  optional,
  check: () => Promise.reject(new Error('connection refused to 10.0.0.1')),
})

async function ask(health: readonly HealthCheck[], path: string): Promise<Response> {
  const app = createStatusApp({ metrics: createMetrics(), readiness: createReadiness(health) })
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
})
