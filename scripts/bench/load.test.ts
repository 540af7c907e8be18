import { expect, test } from 'bun:test'
import { percentile, runLoad } from './load'

test('percentiles go by nearest rank', () => {
  const sorted = Array.from({ length: 100 }, (_, i) => i + 1)
  expect([percentile(sorted, 0.5), percentile(sorted, 0.99), percentile([7], 0.99)]).toEqual([
    50, 99, 7,
  ])
  expect(percentile([], 0.5)).toBeNaN()
})

test('counts every answer, and those that failed', async () => {
  let served = 0
  await using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      served++
      if (request.headers.get('authorization') !== 'Bearer t')
        return new Response('', { status: 401 })
      return new Response('가'.repeat(20_000), { status: served % 10 === 0 ? 503 : 200 })
    },
  })
  const result = await runLoad({
    url: server.url.href,
    connections: 8,
    seconds: 0.2,
    next: () => ({ path: '/x', token: 't' }),
  })
  expect(result.requests).toBe(served)
  expect(result.failures).toBe(Math.floor(served / 10))
  expect(result.meanBodyBytes).toBe(20_000)
})
