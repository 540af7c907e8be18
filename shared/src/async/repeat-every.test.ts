import { expect, test } from 'bun:test'
import { repeatEvery } from './sleep'

test('works at once and again, through failures, until it is told to stop', async () => {
  const stop = new AbortController()
  const errors: unknown[] = []
  let runs = 0
  await repeatEvery(
    async () => {
      if (++runs === 4) stop.abort()
      if (runs % 2 === 0) throw new Error(`${runs}`)
    },
    { intervalMs: 1, signal: stop.signal, onError: (error) => errors.push(error) },
  )
  expect(runs).toBe(4)
  expect(errors).toEqual([new Error('2'), new Error('4')])
})
