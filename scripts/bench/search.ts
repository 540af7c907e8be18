import { postsAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import postsSample from '../../sample/posts.jsonl.gz' with { type: 'file' }
import { createBrokenLines, readPosts } from '../import/input-files'
import { createRoster } from '../import/roster'
import { createThreads } from '../import/threads'
import type { BenchArguments } from './arguments'
import { createBenchSuite } from './bench-suite'
import { startImported } from './imported-suite'
import { type LoadResult, percentile, runLoad } from './load'
import { collectFigures, type Figure } from './report'
import { COMMON, type QuerySort, searchQueries } from './search-queries'
import { runWrk } from './wrk'

const CONNECTIONS = 32
const PAGE = 20
const SAMPLED_TEXTS = 50_000
const READERS = 32
const SEARCHES_PER_SECOND = 20

/**
 * Search by ours and, on the servers, the same queries asked of Elasticsearch alone (its own query on the same index,
 * with its own highlighting) and of MySQL with `LIKE '%…%'`: one after the other in one run, each with the same number
 * of connections. Then the feed beside a steady few searches for common words.
 */
export async function benchSearch(options: BenchArguments): Promise<readonly Figure[]> {
  const suite = createBenchSuite()
  const seconds = options.isQuick ? 1 : 8
  const { figures, add } = collectFigures()
  const rate = (name: string, { requestsPerSecond, p50, p99 }: LoadResult) =>
    add(name, requestsPerSecond, `requests/s, P50 ${ms(p50)}, P99 ${ms(p99)}`)

  try {
    await using started = await startImported(suite, options, READERS)
    const { running, readers } = started
    const tokens = readers.map(({ token }) => token)
    const sorts = searchQueries(await readTexts(options.graph ? options.posts : [postsSample]))
    let reader = 0
    const search = (queries: QuerySort) => ({
      path: `/v1/search/posts?limit=${PAGE}&q=${encodeURIComponent(queries.next())}`,
      token: tokens[reader++ % tokens.length] ?? '',
    })
    await using others = suite.kind === 'servers' ? await openOthers() : null
    for (const queries of sorts) {
      const ours = await load(running.url, seconds, () => search(queries))
      rate(`${queries.name}: ours`, ours)
      if (!others) continue
      const bare = await others.bare(queries, seconds)
      const like = await others.like(queries, seconds)
      rate(`${queries.name}: bare Elasticsearch`, bare)
      rate(`${queries.name}: LIKE`, like)
      const ratio = (other: LoadResult) => ours.requestsPerSecond / other.requestsPerSecond
      add(`${queries.name}: ours / bare Elasticsearch`, ratio(bare), '')
      add(`${queries.name}: ours / LIKE`, ratio(like), '')
    }

    const common = sorts.find(({ name }) => name === COMMON)
    if (!common) throw new OperatorError(`the texts have too few words for ${COMMON}`)
    const feed = { url: running.url, path: '/v1/feed', tokens, connections: READERS, seconds }
    await runWrk({ ...feed, seconds: 1 })
    const quiet = await runWrk(feed)
    const beside = await besideSearches(
      running.url,
      () => search(common),
      () => runWrk(feed),
    )
    add('feed P99, quiet', quiet.p99, 'ms')
    add(`feed P99, ${SEARCHES_PER_SECOND} searches/s for ${COMMON}`, beside.p99, 'ms')
    add('… in quiet ones', beside.p99 / quiet.p99, '')
    return figures
  } finally {
    suite.dispose()
  }
}

/** Texts of the files in equal measure, so that each language is among them. */
async function readTexts(files: readonly string[]): Promise<readonly string[]> {
  const texts: string[] = []
  for (const file of files) {
    const most = texts.length + SAMPLED_TEXTS / files.length
    const options = {
      roster: createRoster(),
      threads: createThreads(),
      broken: createBrokenLines(),
    }
    for await (const { text } of readPosts(file, options)) {
      texts.push(text)
      if (texts.length >= most) break
    }
  }
  return texts
}

/** Asks at a steady rate while `work` runs, whatever the answers take. */
async function besideSearches<Result>(
  url: string,
  next: () => { readonly path: string; readonly token: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const asked: Promise<unknown>[] = []
  const timer = setInterval(() => {
    const { path, token } = next()
    const headers = { authorization: `Bearer ${token}` }
    asked.push(fetch(`${url}${path}`, { headers }).then((answer) => answer.text()))
  }, 1_000 / SEARCHES_PER_SECOND)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await Promise.all(asked)
  }
}

/** Whom the same is asked on the servers. */
async function openOthers() {
  const { database, elasticsearch, keyPrefix } = loadSettings(environment, { role: 'cdc-indexer' })
  if (database.kind !== 'mysql') throw new TypeError('not a server')
  const mysql = await connectMysql({ ...database, poolSize: CONNECTIONS })
  return {
    bare: (queries: QuerySort, seconds: number) =>
      load(elasticsearch.urls[0], seconds, () => ({
        path: bareSearch(postsAlias(keyPrefix), queries.next()),
        token: '',
      })),
    like: (queries: QuerySort, seconds: number) => likeLoad(mysql.db, seconds, queries),
    [Symbol.asyncDispose]: () => mysql[Symbol.asyncDispose](),
  }
}

async function load(
  url: string,
  seconds: number,
  next: () => { readonly path: string; readonly token: string },
): Promise<LoadResult> {
  const asked = { url, connections: CONNECTIONS, next }
  // Until the code is compiled.
  await runLoad({ ...asked, seconds: seconds / 2 })
  const result = await runLoad({ ...asked, seconds })
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
