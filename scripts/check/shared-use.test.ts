import { expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { findUnshared } from './shared-use'

test('names what fewer than two use, directly or through other files', async () => {
  await using folder = await temporaryFolder()
  const write = async (file: string, text: string) => {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true })
    await Bun.write(join(folder.path, file), text)
  }
  await write('shared/src/both.ts', `export const both = 1`)
  await write('shared/src/deep.ts', `export type Deep = 1`)
  await write(
    'shared/src/lazy.ts',
    `import type { Deep } from './deep'\nexport const lazy: Deep = 1`,
  )
  await write('shared/src/alone.ts', `export const alone = 1`)
  await write('shared/src/unused.ts', `export const unused = 1`)
  await write('shared/src/testing/fixture.ts', `export const fixture = 1`)
  await write(
    'services/api/src/main.ts',
    `import { both } from '@sns/shared/both'\nimport { alone } from '@sns/shared/alone'\nconst lazy = () => import('@sns/shared/lazy')\nconsole.log(both, alone, lazy)`,
  )
  await write(
    'services/fanout-worker/src/main.ts',
    `import { both } from '@sns/shared/both'\nimport { lazy } from '@sns/shared/lazy'\nconsole.log(both, lazy)`,
  )
  await write('services/api/src/main.test.ts', `import '@sns/shared/unused'`)
  expect(await findUnshared(folder.path)).toEqual(['shared/src/alone.ts', 'shared/src/unused.ts'])
})
