import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@sns/api/client'
import { cdcIndexer } from '@sns/cdc-indexer/main'
import { eventually } from '@sns/shared/testing/eventually'
import { freePort } from '../../scripts/process/program-process'
import { startSilentServer } from '../silent-server'

const root = join(import.meta.dir, '../..')

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sns-executable-'))
  const build = Bun.spawn([process.execPath, join(root, 'scripts/build.ts'), join(folder, 'sns')], {
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const problems = await new Response(build.stderr).text()
  if ((await build.exited) !== 0) throw new Error(problems)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the executable in an empty folder, with nothing on the PATH. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  const cwd = mkdtempSync(join(folder, 'empty-'))
  return Bun.spawn([join(folder, 'sns'), ...args], {
    cwd,
    env: { PATH: '/nowhere', METRICS_PORT: '0', DRAIN_DELAY: '0', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

test('serves the embedded suite without Bun, checkout or node_modules', async () => {
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  await using program = run(['start'], { WEB_PORT: String(port) })
  await eventually(async () => (await fetch(`${url}/readyz`)).ok)

  const { data } = await createClient(url).v1.auth.signup.post({
    username: 'somebody',
    password: 'correct horse',
  })
  const client = createClient(url, { token: data!.accessToken })
  await client.v1.posts.post({ text: 'written to an executable' })
  await eventually(async () => {
    const { data } = await client.v1.search.posts.get({ query: { q: 'executable' } })
    return data?.items.length === 1
  })
  expect((await client.v1.feed.get({ query: {} })).data?.items).toHaveLength(1)

  for (const place of ['/swagger', '/']) {
    const page = await (await fetch(url + place)).text()
    const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path)
    expect(assets.length).toBeGreaterThan(1)
    for (const path of assets) {
      const asset = await fetch(url + path)
      expect([path, asset.status, (await asset.text()).length > 100]).toEqual([path, 200, true])
    }
  }

  program.kill('SIGTERM')
  expect(await program.exited).toBe(0)
})

test.skipIf(!existsSync('/proc/self/environ'))(
  'collects early where it is cdc-indexer',
  async () => {
    using server = startSilentServer()
    const database = `mysql://nobody:nothing@127.0.0.1:${server.port}/sns`
    await using program = run(['start', 'cdc-indexer'], { DATABASE_URL: database })
    await eventually(() => server.connections() > 0)
    const told = readFileSync(`/proc/${program.pid}/environ`, 'utf8').split('\0')
    expect(told).toContain(`BUN_JSC_forceRAMSize=${cdcIndexer.runtimeMemory}`)
    program.kill('SIGINT')
    expect(await program.exited).toBe(130)
  },
)

test('migrates, backs up and restores, and says what it can do', async () => {
  const env = { DATABASE_URL: `sqlite:${join(folder, 'sns.db')}` }
  for (const args of [
    ['migrate'],
    ['backup', join(folder, 'sns.backup')],
    ['restore', join(folder, 'sns.backup')],
  ]) {
    await using step = run(args, env)
    expect([args[0], await step.exited]).toEqual([args[0], 0])
  }
  await using help = run(['--help'])
  expect(await new Response(help.stdout).text()).toContain('usage: sns COMMAND')
  await using wrong = run(['dance'])
  expect(await new Response(wrong.stderr).text()).toStartWith('sns: there is no command "dance"')
  expect(await wrong.exited).toBe(2)
})
