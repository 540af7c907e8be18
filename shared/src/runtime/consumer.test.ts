import { expect, test } from 'bun:test'
import { createLogger } from '../observability/logger'
import { createMetrics } from '../observability/metrics'
import type { ConsumeOptions } from '../ports/change-log'
import { eventually } from '../testing/eventually'
import { createManualClock } from '../testing/manual-clock'
import { createConsumer } from './consumer'

function createWorld(consume: (options: ConsumeOptions<'posts'>) => Promise<void>) {
  const clock = createManualClock(1_000_000)
  const metrics = createMetrics()
  const changeLog = { consume: consume as never, backlog: async () => 7 }
  const consumer = createConsumer(
    { changeLog, metrics, logger: createLogger('test', 'silent'), clock },
    { name: 'index', group: 'g', tables: ['posts'], maxBatch: 1, handle: async () => {} },
  )
  return { clock, metrics, consumer }
}

test('fails its check without a place in the group and while the same changes have failed for over a minute', async () => {
  let told: Pick<ConsumeOptions, 'onMembership' | 'onRetry'> | undefined
  const { clock, metrics, consumer } = createWorld(async (options) => {
    told = options
  })
  await consumer.run(new AbortController().signal)
  const { health } = consumer
  expect(health.name).toBe('index')

  await expect(health.check()).rejects.toThrow('no place in its group')
  told?.onMembership?.(true)
  await health.check()

  const refused = new Error('refused')
  told?.onRetry?.(refused, 1, 0)
  told?.onRetry?.(refused, 9, 60_000)
  await health.check()
  told?.onRetry?.(refused, 10, 60_001)
  await expect(health.check()).rejects.toBe(refused)
  clock.advance(60_001)
  await health.check()
  told?.onMembership?.(false)
  await expect(health.check()).rejects.toThrow('no place in its group')
  expect(await metrics.registry.metrics()).toContain('sns_consumer_retries_total{group="index"} 3')
})

test('counts its backlog while it consumes, and throws what the log throws', async () => {
  const end = Promise.withResolvers<void>()
  const { metrics, consumer } = createWorld(() => end.promise)
  const running = consumer.run(new AbortController().signal)
  await eventually(async () =>
    (await metrics.registry.metrics()).includes('sns_consumer_backlog{group="index"} 7'),
  )
  end.reject(new Error('gone'))
  await expect(running).rejects.toThrow('gone')
})
