import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { spawnProgram } from '../../scripts/process/program-process'
import type { SuiteProcess } from '../../scripts/process/suite-process'
import { chromium, liveThroughTheMainJobInABrowser } from '../browser'
import { liveThroughAMeeting, liveThroughTheMainJob, signUp } from '../journey'
import { type ServerSuite, startServerSuite } from '../server-suite'

describe.skipIf(!hasAllTestServers)('three services as separate processes', () => {
  let running: ServerSuite
  let suite: SuiteProcess

  beforeAll(async () => {
    running = await startServerSuite()
    suite = running.suite
  })
  afterAll(() => running?.[Symbol.asyncDispose]())

  test('sign up, follow, post: in the follower’s feed and found by search', async () => {
    await liveThroughTheMainJob(suite.url)
  })

  test('a mention, a like, a follow and a hashtag: told, listed and heard', async () => {
    await liveThroughAMeeting(suite.url)
  })

  test.skipIf(!chromium)('the page: the main job as two people do it', async () => {
    await liveThroughTheMainJobInABrowser(suite.url)
  })

  test('migrate again changes nothing and says so with exit 0', async () => {
    const again = spawnProgram('migrate', [], running.names.env)
    expect(await again.exited).toBe(0)
    await liveThroughTheMainJob(suite.url)
  })

  test('each service answers /livez, /readyz and /metrics on a port of its own, the api’s clients the probes alone', async () => {
    for (const name of suite.names) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        const answer = await fetch(suite.statusUrl(name) + path)
        expect([name, path, answer.status]).toEqual([name, path, 200])
      }
    }
    for (const [path, answer] of [
      ['/livez', '{"status":"alive"}'],
      ['/readyz', '{"status":"ready"}'],
    ] as const) {
      expect(await (await fetch(suite.url + path)).text()).toBe(answer)
    }
    expect((await fetch(`${suite.url}/metrics`)).status).toBe(404)
    const metrics = await (await fetch(`${suite.statusUrl('fanout-worker')}/metrics`)).text()
    expect(metrics).toMatch(/sns_fanout_deliveries_total [1-9]/)
    const indexer = await (await fetch(`${suite.statusUrl('cdc-indexer')}/metrics`)).text()
    expect(indexer).toMatch(/sns_capture_rows_total\{table="posts",op="c"\} [1-9]/)
    expect(indexer).toMatch(/sns_index_documents_total\{outcome="applied"\} [1-9]/)
  })

  async function run(script: string, ...args: string[]) {
    await using program = spawnProgram(script, args, running.names.env)
    return { code: await program.exited, output: program.output() }
  }

  test('what the api keeps and what the index holds is what the tables say, and drift is named', async () => {
    const memory = await run('feeds', 'verify', '--memory', suite.statusUrl('api'), '--all')
    expect(memory).toEqual({
      code: 0,
      output: expect.stringMatching(/: [1-9]\d* entries compared, 0 differ/),
    })
    const equal = { code: 0, output: expect.stringContaining('0 missing or different, 0 without') }
    expect(await run('search', 'verify', '--all')).toEqual(equal)
    expect(await run('search', 'verify', '--sample', '50')).toEqual(equal)

    const { ES_URL, KEY_PREFIX } = running.names.env
    const posts = `${ES_URL}/${KEY_PREFIX}-posts`
    const { client } = await signUp(suite.url, 'writer')
    const { data } = await client.v1.posts.post({ text: 'to be lost' })
    const id = data?.id
    await eventually(async () => (await fetch(`${posts}/_doc/${id}`)).ok)
    const removed = await fetch(`${posts}/_doc/${id}?refresh=true`, { method: 'DELETE' })
    expect(removed.status).toBe(200)
    const { code, output } = await run('search', 'verify', '--all')
    expect(code).toBe(1)
    expect(output).toContain(`post ${id}: the index lacks it or has it otherwise`)
    expect(output).toContain('1 missing or different, 0 without a row')
    expect((await run('search', 'verify')).code).toBe(2)
  }, 60_000)

  test('SIGTERM drains: every service exits with 0', async () => {
    for (const name of suite.names) {
      expect([name, await suite.program(name).stop()]).toEqual([name, 0])
    }
    await Promise.all(suite.names.map((name) => suite.restart(name)))
    await liveThroughTheMainJob(suite.url)
  })
})
