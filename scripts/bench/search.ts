import { postsAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { BenchArguments } from './arguments'
import { createBenchSuite } from './bench-suite'
import { startImported } from './imported-suite'
import { type LoadResult, percentile, runLoad } from './load'
import type { Figure } from './report'
import { type QuerySort, searchQueries } from './search-queries'

const CONNECTIONS = 32
const PAGE = 20
const SAMPLED_TEXTS = 50_000
const READERS = 32

/**
 * Search on the servers: the same queries asked of ours, of Elasticsearch alone (its own query on the same index, with
 * its own highlighting), and of MySQL with `LIKE '%…%'`; one after the other in one run, each with the same number of
 * connections.
 */
export async function benchSearch(options: BenchArguments): Promise<readonly Figure[]> {
  const suite = createBenchSuite()
  if (suite.kind !== 'servers') {
    throw new OperatorError('bench search measures on the servers: set DATABASE_URL=mysql://…', 2)
  }
  const settings = loadSettings(environment, { role: 'cdc-indexer' })
  if (settings.database.kind !== 'mysql') throw new TypeError('not a server')
  const seconds = options.isQuick ? 1 : 8
  const figures: Figure[] = []
  const add = (name: string, value: number, unit: string) => {
    figures.push({ name, value: Math.round(value * 100) / 100, unit })
    console.error(`  ${name}: ${value.toLocaleString('en')} ${unit}`)
  }
  const rate = (name: string, { requestsPerSecond, p50, p99 }: LoadResult) =>
    add(name, requestsPerSecond, `requests/s, P50 ${ms(p50)}, P99 ${ms(p99)}`)

  try {
    await using started = await startImported(suite, options, READERS)
    const { running, readers } = started
    await using mysql = await connectMysql({ ...settings.database, poolSize: CONNECTIONS })
    const texts = (
      await mysql.db.selectFrom('posts').select('text').limit(SAMPLED_TEXTS).execute()
    ).map(({ text }) => text)
    let reader = 0
    const token = () => readers[reader++ % readers.length]?.token ?? ''
    for (const queries of searchQueries(texts)) {
      const ours = await load(running.url, seconds, () => ({
        path: `/v1/search/posts?limit=${PAGE}&q=${encodeURIComponent(queries.next())}`,
        token: token(),
      }))
      const bare = await load(settings.elasticsearch.url, seconds, () => ({
        path: bareSearch(postsAlias(settings.keyPrefix), queries.next()),
        token: '',
      }))
      const like = await likeLoad(mysql.db, seconds, queries)
      rate(`${queries.name}: ours`, ours)
      rate(`${queries.name}: bare Elasticsearch`, bare)
      rate(`${queries.name}: LIKE`, like)
      add(
        `${queries.name}: ours / bare Elasticsearch`,
        ours.requestsPerSecond / bare.requestsPerSecond,
        '',
      )
      add(`${queries.name}: ours / LIKE`, ours.requestsPerSecond / like.requestsPerSecond, '')
    }
    return figures
  } finally {
    suite.dispose()
  }
}

async function load(
  url: string,
  seconds: number,
  next: () => { readonly path: string; readonly token: string },
): Promise<LoadResult> {
  const result = await runLoad({ url, connections: CONNECTIONS, seconds, next })
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} failed`)
  return result
}

/** What one would ask Elasticsearch for by itself: every word, or the phrase, the text back with marks. */
function bareSearch(index: string, q: string): string {
  const text = q.replaceAll('"', '')
  const match = q.startsWith('"')
    ? { match_phrase: { text } }
    : { match: { text: { query: text, operator: 'and' } } }
  const body = {
    query: match,
    size: PAGE + 1,
    track_total_hits: false,
    highlight: { fields: { text: { number_of_fragments: 0 } } },
  }
  const source = encodeURIComponent(JSON.stringify(body))
  return `/${index}/_search?source_content_type=application/json&source=${source}`
}

/** The search of the first version: newest first, in SQL. */
async function likeLoad(
  db: Awaited<ReturnType<typeof connectMysql>>['db'],
  seconds: number,
  queries: QuerySort,
): Promise<LoadResult> {
  const times: number[] = []
  const startedAt = performance.now()
  const deadline = startedAt + seconds * 1_000
  const ask = async () => {
    while (performance.now() < deadline) {
      const sentAt = performance.now()
      const pattern = `%${queries.next().replaceAll('"', '')}%`
      await db
        .selectFrom('posts')
        .select(['id', 'author_id', 'text', 'created_at'])
        .where('text', 'like', pattern)
        .orderBy('id', 'desc')
        .limit(PAGE + 1)
        .execute()
      times.push(performance.now() - sentAt)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, ask))
  times.sort((a, b) => a - b)
  return {
    requestsPerSecond: (1_000 * times.length) / (performance.now() - startedAt),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    requests: times.length,
    failures: 0,
    meanBodyBytes: 0,
  }
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}
