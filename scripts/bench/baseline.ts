import graphSample from '../../sample/graph.edges.gz' with { type: 'file' }
import postsSample from '../../sample/posts.jsonl.gz' with { type: 'file' }
import { createBrokenLines } from '../import/input-files'
import { type Survey, surveyFiles } from '../import/survey'
import { spawnProgram } from '../process/program-process'
import type { BenchArguments } from './arguments'
import { type BenchSuite, createBenchSuite, type RunningBenchSuite } from './bench-suite'
import { measureFeed } from './feed-load'
import { percentile } from './load'
import { residentMiB, samples } from './measures'
import { collectFigures, type Figure } from './report'

const COLD_STARTS = 5
const SEARCHABLE_WITHIN_MS = 900_000

/**
 * Where a deployment stands: cold start, import, time until all is searchable, the feed at 500
 * simultaneous users on the imported graph, memory of each process. No targets; later benchmarks start
 * from here. Embedded, the suite starts after the import, as its database serves one process at a time;
 * on the servers it runs while the rows come in.
 */
export async function benchBaseline(options: BenchArguments): Promise<readonly Figure[]> {
  const suite = createBenchSuite()
  const { figures, add } = collectFigures()
  const memory = (when: string, running: RunningBenchSuite) => {
    for (const [name, { pid }] of running.programs) {
      add(`memory ${when}, ${name}`, residentMiB(pid), 'MiB')
    }
  }
  const files = {
    graph: options.graph ?? graphSample,
    posts: options.graph ? options.posts : [postsSample],
    limitUsers: Number.POSITIVE_INFINITY,
  }
  try {
    const survey = await surveyFiles(files, createBrokenLines())
    await suite.prepare()
    add(`cold start, median of ${COLD_STARTS}`, await measureColdStart(suite), 'ms')

    const before = suite.kind === 'servers' ? await suite.start() : null
    if (before) memory('idle', before)
    const password = crypto.randomUUID()
    const seconds = await importData(suite, files, password)
    const importedAt = performance.now()
    const rows = survey.users.length + survey.follows + survey.posts
    add(`import of ${rows.toLocaleString('en')} rows`, round(seconds), 's')
    add('import rate', Math.round(rows / seconds), 'rows/s')

    await using running = before ?? (await suite.start())
    if (!before) memory('idle', running)
    await untilIndexed(running, survey)
    add('all posts searchable after', round((performance.now() - importedAt) / 1000), 's')
    await measureFeed({ running, survey, password, isQuick: options.isQuick }, add)
    memory('after the load', running)
    return figures
  } finally {
    suite.dispose()
  }
}

/** From starting the command to the first ready answer. */
async function measureColdStart(suite: BenchSuite): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < COLD_STARTS; n++) {
    const startedAt = performance.now()
    await using _ = await suite.start()
    times.push(performance.now() - startedAt)
  }
  return Math.round(
    percentile(
      times.sort((a, b) => a - b),
      0.5,
    ),
  )
}

export async function importData(
  suite: BenchSuite,
  files: { readonly graph: string; readonly posts: readonly string[] },
  password: string,
): Promise<number> {
  const startedAt = performance.now()
  const posts = files.posts.flatMap((path) => ['--posts', path])
  const program = spawnProgram(
    'import',
    ['--graph', files.graph, ...posts, '--password', password],
    suite.env,
  )
  if ((await program.exited) !== 0) throw new Error(program.output())
  return (performance.now() - startedAt) / 1000
}

/** Until every consumer of the log has seen all of it, and so will leave what is measured alone. */
export async function untilQuiet(running: RunningBenchSuite, survey: Survey): Promise<void> {
  await untilIndexed(running, survey)
  const deadline = performance.now() + SEARCHABLE_WITHIN_MS
  for (let zeros = 0; zeros < 3; ) {
    const metrics = await (await fetch(`${running.fanoutUrl}/metrics`)).text()
    const backlog = samples(metrics, 'sns_consumer_backlog')
    zeros = backlog === 0 ? zeros + 1 : 0
    if (performance.now() > deadline) throw new Error(`${backlog} changes are still on their way`)
    // The backlog is counted every five seconds.
    await Bun.sleep(2_000)
  }
}

/** Until the indexer has seen every user and every post. */
async function untilIndexed({ indexerUrl }: RunningBenchSuite, survey: Survey): Promise<void> {
  const wanted = survey.users.length + survey.posts
  const deadline = performance.now() + SEARCHABLE_WITHIN_MS
  for (;;) {
    const metrics = await (await fetch(`${indexerUrl}/metrics`)).text()
    const seen = samples(metrics, 'sns_index_documents_total')
    if (seen >= wanted) return
    if (performance.now() > deadline) throw new Error(`only ${seen} of ${wanted} indexed`)
    await Bun.sleep(200)
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
