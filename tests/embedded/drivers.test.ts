import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'

const root = join(import.meta.dir, '../..')

/** Starts the suite in a process of its own, as what other tests have loaded stays loaded. */
const START = `
  const { suite } = await import('./scripts/suite')
  const { startService } = await import('@sns/shared/runtime/service')
  const { loadSettings } = await import('@sns/shared/config/load-settings')
  await using _service = await startService(suite, loadSettings(process.env, { role: 'suite' }))
  console.log(JSON.stringify(Object.keys(require.cache)))
`

test('an embedded suite loads no driver of a server', async () => {
  await using folder = await temporaryFolder()
  const started = Bun.spawn([process.execPath, '-e', START], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: `sqlite:${join(folder.path, 'sns.db')}`,
      WEB_PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'error',
    },
    stderr: 'inherit',
  })
  const loaded: string[] = JSON.parse(await new Response(started.stdout).text())
  expect(loaded.some((path) => path.includes('/cdc-indexer/src/capture/capture.ts'))).toBeTrue()
  const drivers = /node_modules\/.*(mysql2|zongji|ioredis|kafkajs|@elastic\/elasticsearch)\//
  expect(loaded.filter((path) => drivers.test(path))).toEqual([])
})
