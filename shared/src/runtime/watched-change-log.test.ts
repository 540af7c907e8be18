import { expect, test } from 'bun:test'
import type { ChangeLog, ConsumeOptions } from '../ports/change-log'
import { createManualClock } from '../testing/manual-clock'
import { watchChangeLog } from './watched-change-log'

test('is away without a place in the group, while the same changes have failed for over a minute, and well again afterwards', async () => {
  const clock = createManualClock(1_000_000)
  const told: unknown[][] = []
  let consuming: Pick<ConsumeOptions, 'onMembership' | 'onRetry'> | undefined
  const inner: ChangeLog = {
    async consume(options) {
      consuming = options
    },
    backlog: async () => 7,
  }
  const { changeLog, health } = watchChangeLog('index', inner, clock)
  await changeLog.consume({
    group: 'g',
    tables: ['posts'],
    maxBatch: 1,
    handle: async () => {},
    signal: new AbortController().signal,
    onMembership: (is) => void told.push([is]),
    onRetry: (...args) => void told.push(args),
  })
  expect(await changeLog.backlog('g', ['posts'])).toBe(7)
  expect(health.name).toBe('index')

  await expect(health.check()).rejects.toThrow('no place in its group')
  consuming?.onMembership?.(true)
  await health.check()

  const refused = new Error('refused')
  consuming?.onRetry?.(refused, 1, 0)
  consuming?.onRetry?.(refused, 9, 60_000)
  await health.check()
  consuming?.onRetry?.(refused, 10, 60_001)
  await expect(health.check()).rejects.toBe(refused)
  expect(told).toEqual([[true], [refused, 1, 0], [refused, 9, 60_000], [refused, 10, 60_001]])
  clock.advance(60_001)
  await health.check()
  consuming?.onMembership?.(false)
  await expect(health.check()).rejects.toThrow('no place in its group')
})
