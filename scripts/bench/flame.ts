import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchArguments } from './arguments'
import { createBenchSuite } from './bench-suite'
import { drawFlameGraph, foldProfile } from './flame-graph'
import { startImported } from './imported-suite'
import { runWrk } from './wrk'

const CONNECTIONS = 500
const READERS = 500

/**
 * Where the time of a feed page goes: profiles the process that answers under the load of `bench feed`, and
 * writes `flame.svg`, whose path it returns. Profiling slows it down, so the rate is no figure to compare.
 */
export async function benchFlame(options: BenchArguments): Promise<string> {
  const suite = createBenchSuite()
  const profiles = mkdtempSync(join(tmpdir(), 'sns-bench-flame-'))
  const seconds = options.isQuick ? 2 : 10
  try {
    const profiling = { BUN_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` }
    await using imported = await startImported(suite, options, READERS, profiling)
    const { running, readers } = imported
    const tokens = readers.map(({ token }) => token)
    const load = { url: running.url, path: '/v1/feed', tokens, connections: CONNECTIONS, seconds }
    await runWrk(load)
    const { requestsPerSecond } = await runWrk(load)
    const main = running.programs.get('api') ?? [...running.programs.values()][0]
    await main?.stop()
    const [profile] = readdirSync(profiles)
    if (!profile) throw new Error('the runtime wrote no profile')
    const root = foldProfile(await Bun.file(join(profiles, profile)).json(), seconds)
    const file = join(options.out, 'flame.svg')
    mkdirSync(options.out, { recursive: true })
    const title = `A feed page, ${suite.kind}: ${requestsPerSecond.toLocaleString('en')} pages/s while profiled`
    writeFileSync(file, drawFlameGraph(root, title))
    return file
  } finally {
    rmSync(profiles, { recursive: true, force: true })
    suite.dispose()
  }
}
