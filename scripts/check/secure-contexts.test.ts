import { expect, test } from 'bun:test'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { findSecureContextUses } from './secure-contexts'

test.each([
  ['crypto.randomUUID()', 'crypto.randomUUID'],
  ['await crypto.subtle.digest(x, y)', 'crypto.subtle'],
  ['navigator.clipboard.writeText(x)', 'navigator.clipboard'],
  ['navigator.serviceWorker.register(x)', 'navigator.serviceWorker'],
  ['navigator.locks.request(x, y)', 'navigator.locks'],
  ['navigator.storage.persist()', 'navigator.storage'],
  ['globalThis.caches.open(x)', 'globalThis.caches'],
  ['caches.open(x)', 'caches'],
])('finds %s', async (code, use) => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'client/src'), { recursive: true })
  await Bun.write(join(folder.path, 'client/src/x.ts'), `// ${code}\n${code}\n`)
  expect(await findSecureContextUses(folder.path)).toEqual([`client/src/x.ts: ${use}`])
})

test.each([
  'navigator.locks?.request(x, y) ?? y()',
  'crypto.getRandomValues(new Uint8Array(16))',
  'new BroadcastChannel(x)',
  'navigator.language',
  'localStorage.getItem(x)',
])('lets %s pass', async (code) => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'services/api/web'), { recursive: true })
  await Bun.write(join(folder.path, 'services/api/web/x.tsx'), `${code}\n`)
  expect(await findSecureContextUses(folder.path)).toEqual([])
})
