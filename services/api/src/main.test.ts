import { expect, spyOn, test } from 'bun:test'
import { join } from 'node:path'
import { loadSettings } from '@sns/shared/config/load-settings'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import * as app from './app'
import { api } from './main'

test('the api runs its housekeeping, the deletions and the watch over delivery beside requests', async () => {
  await using folder = await temporaryFolder()
  const DATABASE_URL = `sqlite:${join(folder.path, 'sns.db')}`
  const settings = loadSettings({ DATABASE_URL }, { role: 'suite' })
  const deps = {
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    clock: createManualClock(),
  }
  await using backend = await createBackend(settings, deps)
  const { jobs } = await api.assemble({ ...deps, settings, backend })
  expect(jobs.map(({ name }) => name)).toEqual(['housekeeping', 'deletions', 'delivery-watch'])
})

test('the api hands on what bounds its reads and what it knows of listeners', async () => {
  await using folder = await temporaryFolder()
  const DATABASE_URL = `sqlite:${join(folder.path, 'sns.db')}`
  const odd = { FEED_READS: '7', EVENT_MEMORY_MIB: '9' }
  const settings = loadSettings({ DATABASE_URL, ...odd }, { role: 'suite' })
  const deps = {
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    clock: createManualClock(),
  }
  await using backend = await createBackend(settings, deps)
  const parts = await api.assemble({ ...deps, settings, backend })
  using made = spyOn(app, 'createApp')
  parts.app?.({
    readiness: async () => ({ ready: true, stores: {} }),
    leaving: new AbortController().signal,
  })
  const [given] = made.mock.calls[0] ?? []
  expect(given?.settings).toMatchObject({ feedReads: 7, eventMemoryMib: 9 })
})
