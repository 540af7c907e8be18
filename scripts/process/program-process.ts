import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import type { Subprocess } from 'bun'
import { killAtExit } from './leftovers'

const scripts = join(import.meta.dir, '..')
const READY_MS = 60_000
/** Few programs listen here by default, and browsers refuse none of these ports. */
const [FIRST_PORT, PORTS] = [11_000, 9_000]

/** A program of the suite in its own process, started as a user would start it. */
export interface ProgramProcess extends AsyncDisposable {
  readonly pid: number
  /** Everything it has written so far, both streams. */
  output(): string
  readonly exited: Promise<number>
  /** Waits until `path` below `url` answers 200. */
  ready(url: string, path?: string): Promise<void>
  /** SIGKILL: nothing is flushed, nothing is drained. */
  crash(): Promise<void>
  /** Sends SIGTERM, waits until the program has drained, and returns its exit code. */
  stop(): Promise<number>
}

/**
 * Runs `bun scripts/NAME.ts ARGS…` with `env` and nothing else but PATH and HOME; where `env` does not
 * say otherwise, operators' port is any free one and a service that is asked to stop does so at once.
 */
export function spawnProgram(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ProgramProcess {
  const child: Subprocess<'ignore', 'pipe', 'pipe'> = Bun.spawn(
    [process.execPath, join(scripts, `${script}.ts`), ...args],
    {
      // Outside the checkout, so that a developer's `.env` is not read.
      cwd: '/tmp',
      env: {
        ...commandEnvironment(),
        METRICS_PORT: '0',
        DRAIN_DELAY: '0',
        RATE_LIMIT: 'off',
        ...env,
      },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    },
  )
  killAtExit(child)
  let output = ''
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true })
  }
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)])
  const exited = child.exited.then(async (code) => {
    await collected
    return code
  })
  const crash = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    pid: child.pid,
    output: () => output,
    exited,
    async ready(url, path = '/readyz') {
      const deadline = performance.now() + READY_MS
      while (!(await answers(url + path))) {
        if (child.exitCode !== null) throw new Error(`exited with ${child.exitCode}:\n${output}`)
        if (performance.now() > deadline) throw new Error(`not ready at ${url}${path}:\n${output}`)
        await Bun.sleep(5)
      }
    },
    crash,
    stop() {
      child.kill('SIGTERM')
      return exited
    },
    [Symbol.asyncDispose]: crash,
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

/**
 * A port that nothing listens on just now; below those that a system gives to connections, so that no connection takes
 * it before its program listens.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
      return port
    } catch {
      // Somebody listens there.
    }
  }
}
