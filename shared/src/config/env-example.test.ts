import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { SETTINGS } from './catalogue'
import { renderEnvExample } from './env-example'
import { loadSettings } from './load-settings'

describe('.env.example', () => {
  const file = Bun.file(join(import.meta.dir, '../../../.env.example'))

  test('is what the catalogue says (bun scripts/env-example.ts writes it)', async () => {
    expect(await file.text()).toBe(renderEnvExample())
  })

  test('uncommented, changes nothing', async () => {
    const lines = (await file.text()).matchAll(/^# ([A-Z_]+)=(.*)$/gm)
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
    expect(Object.keys(env)).toEqual(Object.keys(SETTINGS))
    expect(loadSettings(env, { role: 'suite' })).toEqual(loadSettings({}, { role: 'suite' }))
  })
})
