import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import { eventually } from '@sns/shared/testing/eventually'
import { parse } from 'yaml'
import { freePort } from '../../scripts/process/program-process'

const root = join(import.meta.dir, '../..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const lines = (text: string) => text.split('\n').filter((line) => line && !line.startsWith('#'))

/** What `.dockerignore` leaves of the checkout: the last pattern that fits a file, or a folder that it is in, decides. */
function context(): readonly string[] {
  const patterns = lines(read('.dockerignore')).map((line) => ({
    isKept: line.startsWith('!'),
    glob: new Bun.Glob(line.replace(/^!/, '')),
  }))
  const paths = globSync('**/*', {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => ['node_modules', '.git', 'dist', 'data'].includes(entry.name),
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  return paths.filter((path) => {
    const names = path.split('/')
    const within = names.map((_, at) => names.slice(0, at + 1).join('/'))
    return patterns.findLast(({ glob }) => within.some((each) => glob.match(each)))?.isKept ?? true
  })
}

/** Does what the first stage of the Dockerfile says, in a folder of its own. */
async function buildFirstStage(folder: string): Promise<void> {
  const files = context()
  const [, stage = ''] = read('Dockerfile').split(/^FROM .*$/m)
  for (const line of lines(stage)) {
    const [word = '', ...args] = line.split(' ')
    if (word === 'COPY') {
      const target = args.pop() ?? ''
      for (const source of args) {
        const found = files.filter((path) => path === source || path.startsWith(`${source}/`))
        if (found.length === 0) throw new Error(`COPY ${source}: there is no such file`)
        const isFile = found[0] === source
        for (const path of found) {
          const to = isFile
            ? join(target, path.split('/').at(-1) ?? '')
            : path.replace(source, target)
          cpSync(join(root, path), join(folder, to))
        }
      }
    } else if (word === 'RUN') {
      const run = Bun.spawn(['sh', '-c', args.join(' ')], {
        cwd: folder,
        env: { ...commandEnvironment(), PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
        stdout: 'ignore',
        stderr: 'pipe',
      })
      const problems = await new Response(run.stderr).text()
      if ((await run.exited) !== 0) throw new Error(`${line}: ${problems}`)
    }
  }
}

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sns-image-'))
  await buildFirstStage(folder)
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

test('the image holds an executable with the page inside, whose health is asked as compose asks', async () => {
  const [port, metricsPort] = [freePort(), freePort()]
  const path = `${join(folder, 'dist')}:/usr/bin:/bin`
  await using program = Bun.spawn([join(folder, 'dist/sns'), 'start'], {
    cwd: mkdtempSync(join(folder, 'empty-')),
    env: {
      PATH: path,
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
      DRAIN_DELAY: '0',
    },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const { services } = parse(read('compose.yaml'), { merge: true })
  const [kind, ...check]: string[] = services.api.healthcheck.test
  expect(kind).toBe('CMD')
  const isHealthy = async () => {
    const asked = check.map((word) => word.replace(':8003/', `:${metricsPort}/`))
    return (
      (await Bun.spawn(asked, { env: { PATH: path }, stdout: 'ignore', stderr: 'ignore' })
        .exited) === 0
    )
  }
  await eventually(isHealthy, { timeoutMs: 20_000, what: 'the health check passes' })
  const page = await fetch(`http://127.0.0.1:${port}/`)
  expect([page.status, (await page.text()).includes('/web/')]).toEqual([200, true])
  program.kill('SIGTERM')
  expect(await program.exited).toBe(0)
  expect(await isHealthy()).toBe(false)
})

test('each program in compose is a command of the executable', async () => {
  const { services } = parse(read('compose.yaml'), { merge: true })
  for (const name of ['migrate', 'api', 'fanout-worker', 'cdc-indexer']) {
    expect(services[name].entrypoint).toBeUndefined()
    const help = Bun.spawnSync([join(folder, 'dist/sns'), ...services[name].command, '--help'])
    expect([name, help.exitCode]).toEqual([name, 0])
  }
})
