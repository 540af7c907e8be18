import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { loadSettings } from '../config/load-settings'
import { systemClock } from '../domain/clock'
import { createMetrics } from '../observability/metrics'
import { recordedLog } from '../testing/recorded-log'
import { temporaryFolder } from '../testing/temporary-folder'
import { createBackend } from './backend'
import { consumerGroups } from './consumer'

test('a changed KEY_PREFIX forgets the consumer groups of the old one, and says so', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'sns.db')
  const log = recordedLog()
  const open = (KEY_PREFIX: string) =>
    createBackend(loadSettings({ DATABASE_URL: `sqlite:${path}`, KEY_PREFIX }, { role: 'suite' }), {
      logger: log.logger,
      metrics: createMetrics(),
      clock: systemClock,
    })
  await (await open('old'))[Symbol.asyncDispose]()
  await (await open('old'))[Symbol.asyncDispose]()
  expect(log.text()).toBe('')
  await (await open('new'))[Symbol.asyncDispose]()
  const names = (keyPrefix: string) =>
    Object.values(consumerGroups({ keyPrefix, database: { kind: 'sqlite', path, echo: false } }))
  for (const name of names('old')) expect(log.text()).toContain(`"${name}"`)
  using database = new Database(path, { readonly: true })
  const kept = database.query<{ name: string }, []>('select group_name as name from change_offsets')
  expect(new Set(kept.all().map(({ name }) => name))).toEqual(new Set(names('new')))
})
