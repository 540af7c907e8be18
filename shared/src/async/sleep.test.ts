import { describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import { sleep, whenAborted } from './sleep'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

describe('sleep', () => {
  test('ends early as soon as one of its signals aborts, and leaves no listener behind', async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const asleep = sleep(3_600_000, first.signal, second.signal)
    expect([listeners(first.signal), listeners(second.signal)]).toEqual([1, 1])
    second.abort()
    await asleep
    expect([listeners(first.signal), listeners(second.signal)]).toEqual([0, 0])
  })

  test('does not begin where one has aborted', async () => {
    await sleep(3_600_000, AbortSignal.abort())
  })
})

describe('whenAborted', () => {
  test('resolves at once where the signal has aborted', async () => {
    await whenAborted(AbortSignal.abort())
  })

  test('resolves when the signal aborts', async () => {
    const stop = new AbortController()
    const told = whenAborted(stop.signal)
    expect(Bun.peek.status(told)).toBe('pending')
    stop.abort()
    await told
  })

  test('listens no longer than it is wanted', () => {
    const [stop, over] = [new AbortController(), new AbortController()]
    void whenAborted(stop.signal, over.signal)
    expect(listeners(stop.signal)).toBe(1)
    over.abort()
    expect(listeners(stop.signal)).toBe(0)
  })
})
