import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, spawnProgram } from '../process/program-process'
import type { BenchArguments } from './arguments'
import { type BenchSuite, createBenchSuite } from './bench-suite'
import { startImported } from './imported-suite'
import { residentMiB } from './measures'
import { runWrk, type WrkResult } from './wrk'

const CONNECTIONS = 500
const READERS = 500
const PAGE = 20

/** A design by name: what it is, and where it answers. */
interface Design {
  readonly name: string
  readonly what: string
  readonly path: string
}

const CONSTANT: Design = {
  name: 'constant',
  what: 'the same page each time: HTTP alone',
  path: '/constant',
}
const MEMORY: Design = {
  name: 'memory',
  what: 'ids and pieces from maps: the least of an embedded page',
  path: '/memory',
}
const PULL: Design = { name: 'pull', what: 'a join in SQL', path: '/pull' }
const ON_REDIS: readonly Design[] = [
  {
    name: 'redis',
    what: 'one LRANGE, pieces from a map: the least on the servers',
    path: '/redis',
  },
  { name: 'mget', what: 'one LRANGE, one MGET of finished JSON', path: '/mget' },
  {
    name: 'whole posts',
    what: 'whole posts in Redis, parsed and encoded again',
    path: '/whole-posts',
  },
  { name: 'ids', what: 'ids in Redis, posts from SQL', path: '/ids' },
]

export interface FeedRow extends WrkResult {
  readonly name: string
  readonly what: string
}

/**
 * The home feed by ours and by other designs, side by side in one run: same data, same readers, same
 * page. Each design must show the same posts to the same reader before it is measured.
 */
export async function benchFeed(options: BenchArguments): Promise<{
  readonly kind: BenchSuite['kind']
  readonly rows: readonly FeedRow[]
  readonly memoryMiB: number
}> {
  const suite = createBenchSuite()
  const folder = mkdtempSync(join(tmpdir(), 'sns-bench-feed-'))
  const seconds = options.isQuick ? 2 : 10
  try {
    const { running, readers: signedIn } = await startImported(suite, options, READERS)
    const readersFile = join(folder, 'readers')
    writeFileSync(readersFile, signedIn.map(({ username }) => username).join('\n'))
    const tokens = signedIn.map(({ token }) => token)
    const numbers = signedIn.map((_, at) => String(at))
    const ours = await someFeeds(running.url, '/v1/feed', tokens)
    const rows: FeedRow[] = []
    const measure = async (design: Design, url: string, as: readonly string[]) => {
      const load = { url, path: design.path, tokens: as, connections: CONNECTIONS }
      // Until every reader's window is built and the code is compiled.
      await runWrk({ ...load, seconds })
      const result = await runWrk({ ...load, seconds })
      rows.push({ name: design.name, what: design.what, ...result })
      console.error(`  ${design.name}: ${result.requestsPerSecond.toLocaleString('en')} requests/s`)
    }
    const us: Design = { name: 'ours', what: `sns, ${suite.kind}`, path: '/v1/feed' }
    await measure(us, running.url, tokens)
    const main = running.programs.get('api') ?? [...running.programs.values()][0]
    const memoryMiB = main ? residentMiB(main.pid) : 0
    // Embedded, one process at a time has the database.
    if (suite.kind === 'embedded') await running[Symbol.asyncDispose]()

    const port = freePort()
    const url = `http://127.0.0.1:${port}`
    const env = { ...suite.env, READERS: readersFile, PORT: String(port) }
    await using designs = spawnProgram('bench/feed-designs', [], env)
    await designs.ready(url)
    const redis = suite.kind === 'servers' ? ON_REDIS : []
    for (const design of [CONSTANT, MEMORY, ...redis, PULL]) {
      if (design !== CONSTANT) {
        const theirs = await someFeeds(url, design.path, numbers)
        for (const [at, ids] of theirs.entries()) {
          if (ids.join() !== ours[at]?.join()) {
            throw new Error(`${design.name} shows ${signedIn[at]?.username} other posts than ours`)
          }
        }
      }
      await measure(design, url, numbers)
    }
    if (suite.kind === 'servers') {
      await measure({ ...us, name: 'ours, again' }, running.url, tokens)
      await running[Symbol.asyncDispose]()
    }
    return { kind: suite.kind, rows, memoryMiB }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    suite.dispose()
  }
}

/** The ids that some readers see, for comparison. */
async function someFeeds(url: string, path: string, tokens: readonly string[]) {
  const feeds: string[][] = []
  for (const token of tokens.slice(0, 30)) {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${url}${path}?limit=${PAGE}`, { headers })
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
    const { items } = (await response.json()) as { readonly items: readonly { id: string }[] }
    feeds.push(items.map(({ id }) => id))
  }
  return feeds
}
