import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { loadSettings } from '@sns/shared/config/load-settings'
import { listSettings } from '@sns/shared/config/settings'
import {
  COMPOSE_SETTINGS,
  renderEnvExample,
  renderSettingsTable,
  SETTINGS_TABLE,
} from './settings-docs'

describe('.env.example', () => {
  const file = Bun.file(join(import.meta.dir, '../.env.example'))

  test('is what the settings say (bun scripts/settings-docs.ts writes it)', async () => {
    expect(await file.text()).toBe(renderEnvExample())
  })

  test('uncommented, changes nothing', async () => {
    const lines = (await file.text()).matchAll(/^# ([A-Z_]+)=(.*)$/gm)
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
    const compose = COMPOSE_SETTINGS.map(([name]) => name)
    expect(Object.keys(env)).toEqual([...listSettings().map(({ name }) => name), ...compose])
    expect(loadSettings(env, { role: 'suite' })).toEqual(loadSettings({}, { role: 'suite' }))
  })
})

test('.env.example names all that compose reads, with its defaults', async () => {
  const root = join(import.meta.dir, '..')
  const compose = await Bun.file(join(root, 'compose.yaml')).text()
  const example = await Bun.file(join(root, '.env.example')).text()
  for (const [, name, preset = ''] of compose.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)) {
    expect(example).toContain(`\n# ${name}=`)
    const isOfCompose = COMPOSE_SETTINGS.find(([known]) => known === name)
    if (isOfCompose) expect<string>(isOfCompose[1]).toBe(preset)
  }
})

test('the page on operations has the table of settings (bun scripts/settings-docs.ts writes it)', async () => {
  const page = Bun.file(join(import.meta.dir, '../docs/03-operations.md'))
  const [, section = ''] = (await page.text()).split('\n## Settings\n')
  expect(section.match(SETTINGS_TABLE)?.[0]).toBe(renderSettingsTable())
})
