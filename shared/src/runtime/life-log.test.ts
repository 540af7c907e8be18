import { expect, test } from 'bun:test'
import { logLife } from './life-log'
import type { Readiness } from './readiness'

test('tells for what a service waits, once each, and when it is ready', async () => {
  const states: Readiness[] = [
    { ready: false, stores: { mysql: 'unavailable', redis: 'unavailable' } },
    { ready: false, stores: { mysql: 'unavailable', redis: 'unavailable' } },
    { ready: false, stores: { mysql: 'unavailable', redis: 'ok' } },
    { ready: true, stores: { mysql: 'ok', redis: 'ok' } },
    { ready: true, stores: { mysql: 'ok', redis: 'ok' } },
    { ready: true, stores: { mysql: 'ok', redis: 'unavailable' } },
    { ready: true, stores: { mysql: 'ok', redis: 'ok' } },
    { ready: true, stores: { mysql: 'ok', redis: 'unavailable' } },
    { ready: true, stores: { mysql: 'ok', redis: 'unavailable' } },
  ]
  const stop = new AbortController()
  const lines: string[] = []
  const waits: number[] = []
  const note = (first: unknown, second?: string) => void lines.push(second ?? String(first))
  await logLife(
    {
      name: 'api',
      logger: { info: note, warn: note } as never,
      readiness: async () => states.shift() as Readiness,
      time: {
        now: () => 0,
        async sleep(ms) {
          waits.push(ms)
          if (states.length === 0) stop.abort()
        },
      },
    },
    stop.signal,
  )
  expect(lines).toEqual([
    'api waits for mysql, redis',
    'api waits for mysql',
    'api is ready',
    'api is ready, without redis',
  ])
  expect(waits).toEqual([1_000, 1_000, 1_000, 10_000, 10_000, 1_000, 10_000, 1_000, 1_000])
})

test('says nothing of a service that is stopping', async () => {
  const stop = new AbortController()
  const lines: unknown[] = []
  const note = (line: unknown) => void lines.push(line)
  await logLife(
    {
      name: 'api',
      logger: { info: note, warn: note } as never,
      async readiness() {
        stop.abort()
        return { ready: false, stores: { process: 'unavailable' } }
      },
    },
    stop.signal,
  )
  expect(lines).toEqual([])
})
