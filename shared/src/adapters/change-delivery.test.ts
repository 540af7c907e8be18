import { expect, test } from 'bun:test'
import { deliver } from './change-delivery'

test('tells for how long the same events have failed, from the first failure on', async () => {
  const told: [attempt: number, failingMs: number][] = []
  let left = 4
  const never = new AbortController().signal
  const done = await deliver(
    [],
    {
      async handle() {
        if (left-- > 0) throw new Error('not yet')
      },
      onRetry: (_error, attempt, failingMs) => void told.push([attempt, failingMs]),
      signal: never,
    },
    never,
    { baseMs: 2, capMs: 2 },
  )
  expect(done).toBe(true)
  expect(told.map(([attempt]) => attempt)).toEqual([1, 2, 3, 4])
  const times = told.map(([, failingMs]) => failingMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times[3]).toBeGreaterThan(times[0] ?? 0)
})

test('a batch that succeeds after it went to another consumer is not done', async () => {
  const lost = new AbortController()
  const handle = async () => lost.abort()
  const signal = new AbortController().signal
  expect(await deliver([], { handle, signal }, lost.signal)).toBe(false)
})
