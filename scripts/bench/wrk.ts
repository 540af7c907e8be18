import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { killAtExit, removeAtExit } from '../process/leftovers'

export interface WrkOptions {
  readonly url: string
  readonly path: string
  /** JSON to POST; a GET without. */
  readonly body?: string
  /** How long a connection waits before each request, on average; at random. */
  readonly pauseMs?: number
  readonly tokens: readonly string[]
  readonly connections: number
  readonly seconds: number
}

export interface WrkResult {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/**
 * Load by `wrk`, which costs less beside what it measures than a client on Bun does: on two cores that
 * is what decides. Throws where a request fails.
 */
export async function runWrk(options: WrkOptions): Promise<WrkResult> {
  if (!Bun.which('wrk')) {
    throw new OperatorError('wrk is not on the PATH: the benchmark loads with it (package wrk)', 1)
  }
  const folder = removeAtExit(mkdtempSync(join(tmpdir(), 'sns-wrk-')))
  try {
    const tokens = join(folder, 'tokens')
    writeFileSync(tokens, options.tokens.join('\n'))
    const script = join(import.meta.dir, 'feed-load.lua')
    const { connections, seconds, url, path, body = '', pauseMs = 0 } = options
    const child = killAtExit(
      Bun.spawn(
        [
          'wrk',
          '-t1',
          `-c${connections}`,
          `-d${seconds}s`,
          // A slow answer is in the percentiles; it is no failure.
          '--timeout',
          '30s',
          '-s',
          script,
          url,
          '--',
          path,
          tokens,
          body,
          String(pauseMs),
        ],
        { stdout: 'pipe', stderr: 'pipe' },
      ),
    )
    const output = await new Response(child.stdout).text()
    const line = output.split('\n').find((each) => each.startsWith('{'))
    if ((await child.exited) !== 0 || !line) throw new Error(`wrk failed:\n${output}`)
    const { requests, microseconds, p50, p99, failures } = JSON.parse(line)
    if (requests === 0) throw new Error(`nothing was answered on ${path} in ${seconds} seconds`)
    if (failures > 0) throw new Error(`${failures} of ${requests} reads of ${path} failed`)
    return {
      requestsPerSecond: Math.round(requests / (microseconds / 1e6)),
      p50: p50 / 1000,
      p99: p99 / 1000,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
