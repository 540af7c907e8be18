import { expect } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient } from '@sns/api/client'
import { environment } from '@sns/shared/config/environment'
import { PAGE_LIMIT_MAX } from '@sns/shared/domain/page'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { gunzipSync, gzipSync } from 'bun'
import { spawnProgram } from '../scripts/process/program-process'
import { wholeFeed } from './paging'

const data = join(import.meta.dir, '../../shared/data')

/** A real follow graph with real posts, if present beside the checkout; else null. */
export const realData = existsSync(join(data, 'graph.edges.gz'))
  ? {
      graph: join(data, 'graph.edges.gz'),
      posts: [join(data, 'posts.ko.jsonl.gz'), join(data, 'posts.en.jsonl.gz')],
    }
  : null

if (!realData) console.log('SKIPPED: the real graph and posts are not beside the checkout')

/** `REAL_GRAPH=whole` takes all of it; without it, its first users and every fourth post are taken. */
const isWhole = environment.REAL_GRAPH === 'whole'
const PART = { users: 15_000, everyPost: 4 }

export const REAL_COUNTS = isWhole
  ? { users: 82_168, follows: 870_161, posts: 151_596 }
  : { users: PART.users, follows: 385_042, posts: 37_898 }

/** How many feeds are compared with plain SQL: each takes a log-in. */
export const READERS = isWhole ? 200 : 60

/** Of every imported user. */
const PASSWORD = 'correct horse battery staple'

/** Plain SQL on the suite's database, without any of its code. */
export type Query = (
  sql: string,
  parameters?: readonly number[],
) => Promise<readonly Record<string, unknown>[]>

/** Imports the real data by the command; the first run is killed half-way, and the second resumes it. */
export async function importRealData(env: Readonly<Record<string, string>>): Promise<void> {
  if (!realData) throw new Error('no real data')
  await using folder = await temporaryFolder()
  const files = isWhole ? realData.posts : await partOf(realData.posts, folder.path)
  const posts = files.flatMap((path) => ['--posts', path])
  const limit = isWhole ? [] : ['--limit-users', String(PART.users)]
  const args = ['--graph', realData.graph, ...limit, ...posts, '--password', PASSWORD]
  await using first = spawnProgram('import', args, env)
  await eventually(() => /follows: [1-9]\d{4}/.test(first.output()), { timeoutMs: 120_000 })
  await first.crash()
  const second = spawnProgram('import', args, env)
  const code = await second.exited
  const [users, follows, loaded] = Object.values(REAL_COUNTS).map((n) => n.toLocaleString('en'))
  expect(second.output()).toContain(`loaded ${users} users, ${follows} follows and ${loaded} posts`)
  expect(second.output()).not.toContain('broken lines')
  expect(code).toBe(0)
}

/** Files in the folder with some of the posts of each. */
async function partOf(paths: readonly string[], folder: string): Promise<string[]> {
  return Promise.all(
    paths.map(async (path, at) => {
      const lines = new TextDecoder().decode(gunzipSync(await Bun.file(path).bytes())).split('\n')
      const some = lines.filter((_, n) => n % PART.everyPost === PART.everyPost - 1)
      const part = join(folder, `${at}.jsonl.gz`)
      await Bun.write(part, gzipSync(Buffer.from(`${some.join('\n')}\n`)))
      return part
    }),
  )
}

export async function countRows(query: Query): Promise<typeof REAL_COUNTS> {
  const count = async (table: string) => {
    const [row] = await query(`select count(*) as n from ${table}`)
    return Number(row?.n)
  }
  return {
    users: await count('users'),
    follows: await count('follows'),
    posts: await count('posts'),
  }
}

interface Person {
  readonly id: number
  readonly username: string
}

/** Who follows the most people; null while nobody follows anybody. */
async function busiestReader(query: Query): Promise<Person | null> {
  const [row] = await query(`select u.id as id, u.username as username from users u join
    (select follower_id from follows group by follower_id order by count(*) desc, follower_id limit 1) f
    on f.follower_id = u.id`)
  return row === undefined ? null : { id: Number(row.id), username: String(row.username) }
}

/** Reads the feed of who follows the most to its end, again and again until `isOver`; how often. Each page is answered. */
export async function readWhileImporting(
  url: string,
  query: Query,
  isOver: () => boolean,
): Promise<number> {
  let feeds = 0
  const clients = new Map<string, Client>()
  while (!isOver()) {
    const reader = await busiestReader(query)
    if (reader === null) continue
    // Few log-ins, as an address has few.
    const client = clients.get(reader.username) ?? (await logIn(url, reader.username))
    clients.set(reader.username, client)
    await wholeFeed(client)
    feeds += 1
  }
  return feeds
}

/** Waits until the feed of who follows the most, paged to the end at random sizes, is what plain SQL says that it is. */
export async function busiestFeedEqualsSql(
  url: string,
  query: Query,
  timeoutMs: number,
): Promise<void> {
  const reader = await busiestReader(query)
  if (reader === null) throw new Error('nobody follows anybody')
  const client = await logIn(url, reader.username)
  const wanted = await feedBySql(query, reader.id)
  await eventually(async () => Bun.deepEquals(await wholeFeed(client), wanted), {
    timeoutMs,
    what: 'the feed equals plain SQL',
  })
}

async function feedBySql(query: Query, id: number): Promise<string[]> {
  const truth = await query(
    `select p.id as id from follows f join posts p on p.author_id = f.followee_id where f.follower_id = ?
     union select id from posts where author_id = ? order by id desc`,
    [id, id],
  )
  return truth.map((row) => String(row.id))
}

/** The feeds of users taken at random, paged to the end at random sizes, against plain SQL. */
export async function expectFeedsEqualSql(
  url: string,
  query: Query,
): Promise<{ readonly longest: number }> {
  const users = await query('select id, username from users')
  let longest = 0
  // Few have a feed of several pages: more are looked at until one of them had.
  for (let n = 0; n < READERS || (longest <= PAGE_LIMIT_MAX && n < 10 * READERS); n++) {
    const user = users[Math.floor(Math.random() * users.length)]
    const id = Number(user?.id)
    const wanted = await feedBySql(query, id)
    expect(await wholeFeed(await logIn(url, String(user?.username)))).toEqual(wanted)
    longest = Math.max(longest, wanted.length)
  }
  return { longest }
}

async function logIn(url: string, username: string): Promise<Client> {
  const { data } = await createClient(url).v1.auth.login.post({ username, password: PASSWORD })
  if (!data) throw new Error(`no log-in as ${username}`)
  return createClient(url, { token: data.accessToken })
}

/** A common and a rare word, each found as often as SQL finds it in the texts. */
export async function expectWordsFound(url: string, query: Query): Promise<void> {
  const [someone] = await query('select username from users order by id limit 1')
  const { v1 } = await logIn(url, String(someone?.username))
  const search = async (q: string, limit: number) =>
    (await v1.search.posts.get({ query: { q, limit } })).data?.items ?? []

  const common = await search('영화', 100)
  expect(common).toHaveLength(100)
  for (const { text, highlight } of common) {
    expect(text).toContain('영화')
    expect(highlight).toContain('<mark>')
  }
  const rare = await query("select id from posts where text like '%크리스토퍼%놀란%'")
  expect(rare.length).toBeGreaterThan(0)
  const found = (await search('크리스토퍼 놀란', 100)).map(({ id }) => id)
  expect(found).toEqual(expect.arrayContaining(rare.slice(0, 100).map(({ id }) => String(id))))
  expect((await search('ComedyCemetery', 100)).length).toBeGreaterThan(0)
  expect(await search('zqxjkvbwpf', 100)).toEqual([])
}
