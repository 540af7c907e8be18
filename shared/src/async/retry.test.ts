import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { backoffMs, retry } from './retry'

const AT_ONCE = { baseMs: 0, capMs: 0 }

/** Work that fails so many times, then gives how often it was done. */
function failing(times: number) {
  let done = 0
  return async () => {
    done += 1
    if (done <= times) throw new Error(`failure ${done}`)
    return done
  }
}

test('a wait is below a bound that doubles up to its cap', () => {
  const options = { baseMs: 100, capMs: 1_000 }
  expect([1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, options, () => 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const wait = backoffMs(attempt + 1, options, () => random)
      expect(wait).toBeGreaterThanOrEqual(0)
      expect(wait).toBeLessThanOrEqual(1_000)
    }),
  )
})

test('does the work again until it succeeds, and tells of each failure', async () => {
  const told: [string, number][] = []
  const onFailure = (error: unknown, attempt: number) => told.push([String(error), attempt])
  expect(await retry(failing(2), { ...AT_ONCE, onFailure })).toBe(3)
  expect(told).toEqual([
    ['Error: failure 1', 1],
    ['Error: failure 2', 2],
  ])
})

test('does it no more often than it may, and throws the last error without telling', async () => {
  const told: number[] = []
  const options = { ...AT_ONCE, attempts: 3, onFailure: (_: unknown, at: number) => told.push(at) }
  await expect(retry(failing(5), options)).rejects.toThrow('failure 3')
  expect(told).toEqual([1, 2])
})

test('throws at once where no attempt can help', async () => {
  const isTransient = (error: unknown) => String(error).endsWith('1')
  await expect(retry(failing(5), { ...AT_ONCE, isTransient })).rejects.toThrow('failure 2')
})

test('waits no longer, and does no more, once a signal aborts', async () => {
  const stop = new AbortController()
  const retried = retry(failing(5), {
    baseMs: 3_600_000,
    capMs: 3_600_000,
    random: () => 1,
    onFailure: () => queueMicrotask(() => stop.abort()),
    signals: [new AbortController().signal, stop.signal],
  })
  await expect(retried).rejects.toThrow('failure 1')
})
