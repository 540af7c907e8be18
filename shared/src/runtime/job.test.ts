import { describe, expect, test } from 'bun:test'
import { createLogger } from '../observability/logger'
import { eventually } from '../testing/eventually'
import { createHousekeeping } from './housekeeping'
import { createJobRunner, type Job } from './job'

const logger = createLogger('test', 'silent')

function untilStopped(name: string, log: string[] = []): Job {
  return {
    name,
    run: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          log.push(`${name} stopped`)
          resolve()
        })
      }),
  }
}

describe('jobs', () => {
  test('is done when all have stopped', async () => {
    const stop = new AbortController()
    const log: string[] = []
    const jobs = createJobRunner([untilStopped('a', log), untilStopped('b', log)], logger)
    const done = jobs.run(stop.signal)
    await jobs.health.check()
    stop.abort()
    await done
    expect(log).toEqual(['a stopped', 'b stopped'])
    await jobs.health.check()
  })

  test('one that fails stops the others, turns the health red and is told', async () => {
    const log: string[] = []
    const failing = Promise.withResolvers<void>()
    const jobs = createJobRunner(
      [{ name: 'bad', run: () => failing.promise }, untilStopped('good', log)],
      logger,
    )
    const done = jobs.run(new AbortController().signal)
    await jobs.health.check()
    failing.reject(new Error('the binlog is gone'))
    await expect(done).rejects.toThrow('the binlog is gone')
    expect(log).toEqual(['good stopped'])
    await expect(jobs.health.check()).rejects.toThrow('the binlog is gone')
  })

  test('one that just ends has failed too', async () => {
    const jobs = createJobRunner([{ name: 'short', run: async () => {} }], logger)
    await expect(jobs.run(new AbortController().signal)).rejects.toThrow(
      'short ended although nobody asked it to',
    )
  })
})

describe('housekeeping', () => {
  test('prunes by the clock, goes on after a failure, and stops when told', async () => {
    const now = Date.UTC(2026, 5, 1)
    const pruned: number[] = []
    let failures = 0
    const housekeeping = createHousekeeping(
      {
        sessions: {
          async prune(at) {
            expect(at).toBe(now)
            if (failures++ === 0) throw new Error('away')
          },
        },
        posts: {
          async pruneIdempotencyKeys(before) {
            pruned.push(before)
          },
        },
        clock: { now: () => now },
        logger,
      },
      { everyMs: 1, random: () => 0 },
    )
    const stop = new AbortController()
    const done = housekeeping.run(stop.signal)
    await eventually(() => pruned.length >= 2)
    stop.abort()
    await done
    expect(pruned[0]).toBe(now - 24 * 3600 * 1000)
  })
})
