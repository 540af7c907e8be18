import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort } from '../../scripts/process/program-process'

const root = join(import.meta.dir, '../..')
const sample = (name: string) => join(root, 'sample', name)

/** A command as somebody runs it at a terminal, in `folder`. */
function run(folder: string, name: string, args: readonly string[] = [], env = {}) {
  const child = Bun.spawn([process.execPath, join(root, `scripts/${name}.ts`), ...args], {
    cwd: folder,
    env: { ...commandEnvironment(), METRICS_PORT: '0', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let output = ''
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true })
  }
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)])
  return {
    child,
    prints: (text: string) =>
      eventually(() => output.includes(text), {
        timeoutMs: 60_000,
        what: `"${text}" in ${output}`,
      }),
    /** Its exit code and all that it printed. */
    async end() {
      const code = await child.exited
      await collected
      return { code, output }
    },
  }
}

describe('the demo', () => {
  const demo = (folder: string, args: readonly string[] = []) =>
    run(folder, 'demo', args, { WEB_PORT: String(freePort()) })

  test('is stopped in each of its steps, and goes on with the next run', async () => {
    await using folder = await temporaryFolder()
    for (const moment of [
      'the whole suite in one process',
      'loaded the sample',
      'started the suite',
      'signed up',
      'posted',
      'read the feed again',
      'searched until',
    ]) {
      const running = demo(folder.path)
      await running.prints(moment)
      running.child.kill('SIGINT')
      const { code, output } = await running.end()
      // It may have been over before the signal came.
      expect([moment, [0, 130].includes(code), output]).toEqual([moment, true, output])
      expect(output).not.toContain('did not stop')
    }
    const served = demo(folder.path)
    await served.prints('Ctrl-C stops')
    served.child.kill('SIGINT')
    expect((await served.end()).code).toBe(0)
    expect((await demo(folder.path, ['--exit']).end()).code).toBe(0)
  }, 120_000)
})

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  const code = signal === 'SIGINT' ? 130 : 143

  test('stops an import while it reads what to load, and the next run loads all', async () => {
    await using folder = await temporaryFolder()
    const fifo = join(folder.path, 'posts.jsonl')
    Bun.spawnSync(['mkfifo', fifo])
    const waiting = run(folder.path, 'import', [
      '--posts',
      fifo,
      '--graph',
      sample('graph.edges.gz'),
    ])
    await eventually(() => readdirSync(folder.path).includes('data'))
    waiting.child.kill(signal)
    const stopped = await waiting.end()
    expect(stopped).toMatchObject({ code, output: expect.stringContaining('may be run again') })
    const files = ['--posts', sample('posts.jsonl.gz'), '--graph', sample('graph.edges.gz')]
    const cut = run(folder.path, 'import', files)
    await cut.prints('users:')
    cut.child.kill(signal)
    expect([0, 130, 143]).toContain((await cut.end()).code)
    const whole = await run(folder.path, 'import', files).end()
    expect([whole.code, whole.output.includes('loaded')]).toEqual([0, true])
  }, 60_000)

  test('stops a build, and nothing of it runs on', async () => {
    await using folder = await temporaryFolder()
    const building = run(folder.path, 'build', [join(folder.path, 'sns')])
    const tools = () => childrenOf(building.child.pid)
    await eventually(() => tools().length > 0)
    const [tool] = tools()
    building.child.kill(signal)
    expect([130, code]).toContain((await building.end()).code)
    await eventually(() => !isRunning(tool!))
  }, 60_000)
})

/** Ids of the processes that a process started. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number)
      .filter(Boolean)
  } catch {
    return []
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
