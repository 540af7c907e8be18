import { expect, test } from 'bun:test'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { liveThroughAMeeting, liveThroughTheMainJob } from '../journey'

test('one process, no server: the main job, by many at once', async () => {
  await using folder = await temporaryFolder()
  const [port, metricsPort] = [freePort(), freePort()]
  await using program = spawnProgram('start', [], {
    DATABASE_URL: `sqlite:${folder.path}/sns.db`,
    WEB_PORT: String(port),
    METRICS_PORT: String(metricsPort),
  })
  const url = `http://127.0.0.1:${port}`
  await program.ready(url)
  await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      at % 2 === 0 ? liveThroughTheMainJob(url) : liveThroughAMeeting(url),
    ),
  )
  const statusUrl = `http://127.0.0.1:${metricsPort}`
  await using verify = spawnProgram('feeds', ['verify', '--memory', statusUrl, '--all'], {})
  expect(await verify.exited).toBe(0)
  expect(verify.output()).toMatch(/: [1-9]\d* entries compared, 0 differ/)
  expect(await program.stop()).toBe(0)
}, 60_000)
