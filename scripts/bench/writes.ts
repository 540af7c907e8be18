import { createClient } from '@sns/api/client'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { databaseUrl } from '@sns/shared/config/database-url'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { BenchArguments } from './arguments'
import { createBenchSuite } from './bench-suite'
import { startImported } from './imported-suite'
import { processorSeconds } from './measures'
import { collectFigures, type Figure } from './report'
import { runWrk } from './wrk'

const READERS = 500
const WRITERS = 64
const TEXT = 'a post of a usual length, as people write them on a day like any other'
const LOGINS = 200
const POSTS_PER_SECOND = 500
/** So many that how long an answer takes hardly changes how many posts come. */
const POSTERS = 1_000
/** About what an answer takes meanwhile. */
const ANSWER_MS = 100
/** A process that uses less of the processor is not told of. */
const LEAST_CORES = 0.02

/**
 * What writing costs, and what it costs those who read: posts a second beside bare inserts into the
 * same table, and the P99 of the feed alone, during a burst of logins and during a stream of posts.
 */
export async function benchWrites(options: BenchArguments): Promise<readonly Figure[]> {
  const suite = createBenchSuite()
  if (suite.kind !== 'servers') {
    throw new OperatorError('bench writes measures on the servers: set DATABASE_URL=mysql://…', 2)
  }
  const { figures, add } = collectFigures()
  const seconds = options.isQuick ? 2 : 10
  try {
    const connections = options.isQuick ? LOGINS : READERS
    await using imported = await startImported(suite, options, connections)
    const { running, password, readers: people } = imported
    const tokens = people.map(({ token }) => token)
    const feed = { url: running.url, path: '/v1/feed', tokens, connections, seconds }
    const write = {
      url: running.url,
      path: '/v1/posts',
      body: JSON.stringify({ text: TEXT }),
      tokens,
      connections: WRITERS,
      seconds,
    }

    await runWrk(feed)
    const quiet = await runWrk(feed)
    add('feed, quiet', quiet.requestsPerSecond, 'requests/s')
    add('feed P99, quiet', quiet.p99, 'ms')
    const logins = logInAll(running.url, people.slice(0, LOGINS), password)
    const [duringLogins] = await Promise.all([runWrk(feed), logins])
    add(`feed, ${LOGINS} logins at once`, duringLogins.requestsPerSecond, 'requests/s')
    add(`feed P99, ${LOGINS} logins at once`, duringLogins.p99, 'ms')
    add('… in quiet ones', duringLogins.p99 / quiet.p99, '')
    const stream = {
      ...write,
      connections: POSTERS,
      pauseMs: (POSTERS * 1_000) / POSTS_PER_SECOND - ANSWER_MS,
    }
    const pids = new Map([...running.programs].map(([name, { pid }]) => [pid, name]))
    const before = processorSeconds(pids)
    const [duringPosts, posted] = await Promise.all([runWrk(feed), runWrk(stream)])
    const after = processorSeconds(pids)
    const posts = posted.requestsPerSecond
    add(`feed, ${posts} posts/s`, duringPosts.requestsPerSecond, 'requests/s')
    add(`feed P99, ${posts} posts/s`, duringPosts.p99, 'ms')
    add('… in quiet ones', duringPosts.p99 / quiet.p99, '')
    for (const [name, total] of after) {
      const cores = (total - (before.get(name) ?? 0)) / seconds
      if (cores >= LEAST_CORES) add(`processor of ${name} meanwhile`, cores, 'cores')
    }

    const all = await runWrk(write)
    add('posts with all services', all.requestsPerSecond, 'posts/s')
    for (const name of ['fanout-worker', 'cdc-indexer']) await running.programs.get(name)?.crash()
    const alone = await runWrk(write)
    add('posts with the workers stopped', alone.requestsPerSecond, 'posts/s')
    const bare = await insertBare(suite.env.DATABASE_URL ?? '', seconds)
    add('bare inserts', bare, 'rows/s')
    add('posts with the workers stopped / bare inserts', alone.requestsPerSecond / bare, '')
    return figures
  } finally {
    suite.dispose()
  }
}

async function logInAll(
  url: string,
  people: readonly { readonly username: string }[],
  password: string,
): Promise<void> {
  const { v1 } = createClient(url)
  await Promise.all(people.map(({ username }) => v1.auth.login.post({ username, password })))
}

/** Single rows into the table of posts, each committed by itself, over as many connections as the api has. */
async function insertBare(url: string, seconds: number): Promise<number> {
  const address = databaseUrl(url)
  if ('path' in address) throw new TypeError('not a server')
  await using mysql = await connectMysql({ ...address, kind: 'mysql', echo: false, poolSize: 10 })
  const { db } = mysql
  const row = { author_id: 1 as UserId, text: TEXT, version: 1, created_at: 1, updated_at: 1 }
  let inserted = 0
  const startedAt = performance.now()
  const deadline = startedAt + seconds * 1_000
  const writer = async () => {
    while (performance.now() < deadline) {
      inserted += 1
      // Below every id that the suite makes.
      const id = inserted as PostId
      await db
        .insertInto('posts')
        .values({ ...row, id, edited_at: null })
        .execute()
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return Math.round(inserted / ((performance.now() - startedAt) / 1_000))
}
