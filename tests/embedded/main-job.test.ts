import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { liveThroughTheMainJob } from '../journey'

test('one process, no server: the main job, by many at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sns-main-job-'))
  const port = freePort()
  try {
    await using program = spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${folder}/sns.db`,
      WEB_PORT: String(port),
    })
    const url = `http://127.0.0.1:${port}`
    await program.ready(url)
    await Promise.all(Array.from({ length: 8 }, () => liveThroughTheMainJob(url)))
    expect(await program.stop()).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)
