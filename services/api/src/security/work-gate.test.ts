import { describe, expect, test } from 'bun:test'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createWorkGate } from './work-gate'

function task() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return { work: () => promise, resolve, reject }
}

describe('a work gate', () => {
  test('runs no more at once than it may, in the order they came', async () => {
    const gate = createWorkGate({ concurrency: 2, queue: 10 })
    const tasks = Array.from({ length: 5 }, task)
    const begun: number[] = []
    const all = tasks.map((each, at) =>
      gate.run(() => {
        begun.push(at)
        return each.work()
      }),
    )
    await Promise.resolve()
    expect(begun).toEqual([0, 1])
    tasks[1]!.resolve('one')
    expect(await all[1]).toBe('one')
    await Promise.resolve()
    expect(begun).toEqual([0, 1, 2])
    for (const each of tasks) each.resolve('done')
    await Promise.all(all)
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })

  test('lets nobody in by a place that was handed over', async () => {
    const gate = createWorkGate({ concurrency: 1, queue: 10 })
    const tasks = Array.from({ length: 3 }, task)
    let running = 0
    let most = 0
    const run = (at: number) =>
      gate.run(async () => {
        running += 1
        most = Math.max(most, running)
        await tasks[at]!.work()
        running -= 1
      })
    const [first, second] = [run(0), run(1)]
    tasks[0]!.resolve('done')
    await first
    const third = run(2)
    for (const each of tasks) each.resolve('done')
    await Promise.all([second, third])
    expect(most).toBe(1)
  })

  test('refuses what finds the queue full, with when to come again, and goes on after', async () => {
    const gate = createWorkGate({ concurrency: 1, queue: 1 })
    const [first, second] = [task(), task()]
    const running = gate.run(first.work)
    const waiting = gate.run(second.work)
    const refused = await gate.run(() => Promise.resolve('x')).catch((error: unknown) => error)
    expect(isSnsError(refused, 'too_many_requests') && refused.retryAfterSeconds).toBeGreaterThan(0)
    first.resolve('first')
    second.resolve('second')
    expect(await Promise.all([running, waiting])).toEqual(['first', 'second'])
    expect(await gate.run(() => Promise.resolve('third'))).toBe('third')
  })

  test('gives its place up when work fails', async () => {
    const gate = createWorkGate({ concurrency: 1, queue: 1 })
    const failed = await gate.run(() => Promise.reject(new Error('x'))).catch(() => 'failed')
    expect(failed).toBe('failed')
    expect(await gate.run(() => Promise.resolve('next'))).toBe('next')
  })
})
