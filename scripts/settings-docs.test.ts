import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { loadSettings } from '@sns/shared/config/load-settings'
import { listSettings } from '@sns/shared/config/settings'
import { renderEnvExample, renderSettingsTable, SETTINGS_TABLE } from './settings-docs'

describe('.env.example', () => {
  const file = Bun.file(join(import.meta.dir, '../.env.example'))

  test('is what the settings say (bun scripts/settings-docs.ts writes it)', async () => {
    expect(await file.text()).toBe(renderEnvExample())
  })

  test('uncommented, changes nothing', async () => {
    const lines = (await file.text()).matchAll(/^# ([A-Z_]+)=(.*)$/gm)
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
    expect(Object.keys(env)).toEqual(listSettings().map(({ name }) => name))
    expect(loadSettings(env, { role: 'suite' })).toEqual(loadSettings({}, { role: 'suite' }))
  })
})

test('the page on operations has the table of settings (bun scripts/settings-docs.ts writes it)', async () => {
  const page = Bun.file(join(import.meta.dir, '../docs/03-operations.md'))
  const [, section = ''] = (await page.text()).split('\n## Settings\n')
  expect(section.match(SETTINGS_TABLE)?.[0]).toBe(renderSettingsTable())
})
