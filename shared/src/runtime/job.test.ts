import { describe, expect, test } from 'bun:test'
import { createLogger } from '../observability/logger'
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
