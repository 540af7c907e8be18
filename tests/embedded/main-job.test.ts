import { expect, test } from 'bun:test'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { liveThroughTheMainJob } from '../journey'

test('one process, no server: the main job, by many at once', async () => {
  await using folder = await temporaryFolder()
  const port = freePort()
  await using program = spawnProgram('start', [], {
    DATABASE_URL: `sqlite:${folder.path}/sns.db`,
    WEB_PORT: String(port),
  })
  const url = `http://127.0.0.1:${port}`
  await program.ready(url)
  await Promise.all(Array.from({ length: 8 }, () => liveThroughTheMainJob(url)))
  expect(await program.stop()).toBe(0)
}, 60_000)
