import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqlBulkLoader } from '@sns/shared/adapters/sql/bulk-loader'
import { openSqliteDatabase } from '@sns/shared/adapters/sqlite/database'
import { systemClock } from '@sns/shared/domain/clock'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { generateHeavyTailedGraph } from '../sample/heavy-tailed-graph'
import { importFiles } from './importer'
import { authorOf } from './numbering'

const edges = generateHeavyTailedGraph({ users: 700, meanFollows: 8, reciprocity: 0.3, seed: 7 })
let folder: string
let files: { graph: string; posts: string[]; limitUsers: number }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-import-'))
  const graph = join(folder, 'graph.edges')
  writeFileSync(
    graph,
    `${edges.map(([a, b]) => `${a}\t${b}`).join('\n')}\n${edges[0]?.join('\t')}\nbroken\n`,
  )
  const posts = ['a', 'b'].map((name) => join(folder, `${name}.jsonl`))
  for (const [i, path] of posts.entries()) {
    const lines = Array.from({ length: 2_600 }, (_, n) =>
      JSON.stringify({ text: `post ${i} ${n}` }),
    )
    writeFileSync(path, `${lines.join('\n')}\n{"text":\n`)
  }
  files = { graph, posts, limitUsers: Number.POSITIVE_INFINITY }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function counts(db: Awaited<ReturnType<typeof openSqliteDatabase>>['db']) {
  const [users, follows, posts] = await Promise.all(
    (['users', 'follows', 'posts'] as const).map(async (table) => {
      const row = await db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
      return row.n
    }),
  )
  return { users, follows, posts }
}

test('an import stopped again and again ends with exactly what one run loads', async () => {
  await using database = await openSqliteDatabase({ path: ':memory:' })
  const loader = createSqlBulkLoader(database.db, { clock: systemClock })
  const seen = new Set<string>()
  let runs = 0
  for (let finished = false; !finished; runs++) {
    const abort = new AbortController()
    const summary = await importFiles(files, loader, {
      passwordHash: '!',
      signal: abort.signal,
      onProgress(step, done) {
        if (done > 0 && !seen.has(`${step} ${done}`)) abort.abort()
        seen.add(`${step} ${done}`)
      },
    })
    finished = summary.finished
    expect(summary.broken.count).toBe(3)
    if (runs > 50) throw new Error('never finishes')
  }
  const users = new Set(edges.flat()).size
  expect(runs).toBeGreaterThan(3)
  expect(await counts(database.db)).toEqual({ users, follows: edges.length, posts: 5_200 })
  expect([...seen].map((each) => each.split(' ')[0])).toContain('posts')
})

test('posts are spread over all users, by their place in the whole import', async () => {
  await using database = await openSqliteDatabase({ path: ':memory:' })
  const loader = createSqlBulkLoader(database.db, { clock: systemClock })
  const options = { passwordHash: '!', signal: new AbortController().signal, onProgress() {} }
  await importFiles(files, loader, options)
  const posts = await database.db
    .selectFrom('posts')
    .innerJoin('users', 'users.id', 'posts.author_id')
    .select('users.username')
    .orderBy('posts.id')
    .execute()
  const users = [...new Set(edges.flat())].toSorted((a, b) => a - b)
  expect(posts.map(({ username }) => username)).toEqual(
    posts.map((_, n) => `u${users[authorOf(n, users.length)]}`),
  )
})

test('a graph without a follow is refused before anything is written', async () => {
  await using database = await openSqliteDatabase({ path: ':memory:' })
  const loader = createSqlBulkLoader(database.db, { clock: systemClock })
  const options = { passwordHash: '!', signal: new AbortController().signal, onProgress() {} }
  const [graph = ''] = files.posts
  await expect(importFiles({ ...files, graph }, loader, options)).rejects.toThrow(
    `${graph} holds no user who could write the posts; ${graph}:1: expected two users`,
  )
  await importFiles(files, loader, options)
})

test('users that another source made are not overwritten', async () => {
  await using database = await openSqliteDatabase({ path: ':memory:' })
  const loader = createSqlBulkLoader(database.db, { clock: systemClock })
  const options = { passwordHash: '!', signal: new AbortController().signal, onProgress() {} }
  await importFiles({ ...files, limitUsers: 50 }, loader, options)
  const again = await importFiles(files, loader, options).catch((error: unknown) => error)
  expect(isSnsError(again, 'username_taken')).toBe(true)
  expect((await counts(database.db)).users).toBeLessThanOrEqual(50)
})

/** Loads files with these lines into an empty database; what it holds then. */
async function loadLines(graph: readonly string[] | null, posts: readonly object[]) {
  const name = crypto.randomUUID()
  const at = (kind: string) => join(folder, `${name}.${kind}`)
  if (graph) writeFileSync(at('edges'), graph.join('\n'))
  writeFileSync(at('jsonl'), posts.map((post) => JSON.stringify(post)).join('\n'))
  const database = await openSqliteDatabase({ path: ':memory:' })
  const { db } = database
  const loader = createSqlBulkLoader(db, { clock: systemClock })
  const options = { passwordHash: '!', signal: new AbortController().signal, onProgress() {} }
  const input = {
    graph: graph ? at('edges') : null,
    posts: [at('jsonl')],
    limitUsers: Number.POSITIVE_INFINITY,
  }
  return {
    db,
    load: () => importFiles(input, loader, options),
    posts: () =>
      db
        .selectFrom('posts')
        .innerJoin('users', 'users.id', 'posts.author_id')
        .select(['users.username', 'posts.text', 'posts.created_at'])
        .orderBy('posts.id')
        .execute(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

test('people go by their names, and posts are theirs, of the time that they say', async () => {
  await using input = await loadLines(
    ['Ada\tminji', 'minji\tada', '7\tAda'],
    [
      { text: 'old', author: 'minji', createdAt: '2019-05-01T12:00:00+09:00' },
      { text: 'older, but later in the file', author: 'ADA', createdAt: '2018-01-01T00:00:00Z' },
      { text: 'new', author: 'u7', createdAt: '2026-01-02T03:04:05.678Z' },
      { text: 'at the same time', author: 'newcomer', createdAt: '2026-01-02T03:04:05.678Z' },
      { text: 'when?', author: 'minji', createdAt: '2026-01-02' },
      { text: 'who?', author: 'not a name' },
      { text: 'not yet', author: 'minji', createdAt: '2099-01-01T00:00:00Z' },
    ],
  )
  const { db, load, posts } = input
  const summary = await load()
  expect(summary).toMatchObject({ finished: true, isRepeat: false, users: 4, follows: 3, posts: 4 })
  expect(summary.broken.examples.map((each) => each.replace(/^.*:(\d+): /, '$1 '))).toEqual([
    '5 "createdAt" is no date-time with a zone',
    '6 "author" is no username',
    '7 "createdAt" is after tomorrow',
  ])
  expect(await posts()).toEqual([
    { username: 'minji', text: 'old', created_at: Date.UTC(2019, 4, 1, 3) },
    { username: 'Ada', text: 'older, but later in the file', created_at: Date.UTC(2018, 0, 1) },
    { username: 'u7', text: 'new', created_at: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
    {
      username: 'newcomer',
      text: 'at the same time',
      created_at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    },
  ])
  const follows = await db
    .selectFrom('follows')
    .innerJoin('users as a', 'a.id', 'follows.follower_id')
    .innerJoin('users as b', 'b.id', 'follows.followee_id')
    .select(['a.username as from', 'b.username as to'])
    .orderBy('follows.id')
    .execute()
  expect(follows.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'Ada minji',
    'minji Ada',
    'u7 Ada',
  ])

  const again = await load()
  expect([again.isRepeat, (await posts()).length]).toEqual([true, 4])
})

test('posts alone are enough where each names its author', async () => {
  await using good = await loadLines(null, [
    { text: 'one', author: 'ada' },
    { text: 'two', author: 'bob' },
  ])
  expect(await good.load()).toMatchObject({ users: 2, follows: 0, posts: 2 })
  await using bad = await loadLines(null, [{ text: 'one', author: 'ada' }, { text: 'two' }])
  await expect(bad.load()).rejects.toThrow('has a post without "author"')
  expect(await counts(bad.db)).toEqual({ users: 0, follows: 0, posts: 0 })
})

test('a file that gives no post is an error, and leaves the database as it was', async () => {
  await using input = await loadLines(['1\t2'], [{ txt: 'x' }])
  await expect(input.load()).rejects.toThrow(/holds no post; .*:1: no "text"/)
  expect(await counts(input.db)).toEqual({ users: 0, follows: 0, posts: 0 })
  expect(await input.db.selectFrom('imports').selectAll().execute()).toEqual([])
})

test('more posts of one moment than there are ids for it are an error that names the moment', async () => {
  const post = { text: 'x', author: 'ada', createdAt: '2026-01-01T00:00:00Z' }
  await using input = await loadLines(null, Array(1_025).fill(post))
  await expect(input.load()).rejects.toThrow('more than 1024 posts are of 2026-01-01T00:00:00.000Z')
})

test('what answers a post becomes a comment under the first of the thread', async () => {
  await using input = await loadLines(null, [
    { id: 'a', text: 'root', author: 'ada', createdAt: '2025-01-01T00:00:00Z' },
    { id: 'b', text: 'answer', author: 'bob', replyTo: 'a', createdAt: '2025-01-01T00:01:00Z' },
    { text: 'when?', author: 'cat', replyTo: 'a' },
    { text: 'to the answer', author: 'ada', replyTo: 'b', createdAt: '2025-01-01T00:02:00Z' },
    { id: 7, text: 'other', author: 'ada' },
    { text: 'to a number', author: 'bob', replyTo: 7 },
    { text: 'too early', author: 'bob', replyTo: 'later' },
    { id: 'later', text: 'later', author: 'ada' },
    { text: 'y'.repeat(1_001), author: 'bob', replyTo: 'a' },
  ])
  const { db, load, posts } = input
  const summary = await load()
  expect(summary).toMatchObject({ posts: 3, comments: 4 })
  expect(summary.broken.examples.map((each) => each.replace(/^.*:(\d+): /, '$1 '))).toEqual([
    '7 "replyTo" names no post before it',
    '9 text is too_long',
  ])
  expect((await posts()).map(({ text }) => text).sort()).toEqual(['later', 'other', 'root'])
  const comments = await db
    .selectFrom('comments')
    .innerJoin('posts', 'posts.id', 'comments.post_id')
    .innerJoin('users', 'users.id', 'comments.author_id')
    .select(['comments.text', 'posts.text as on', 'users.username', 'comments.created_at'])
    .orderBy('comments.id')
    .execute()
  expect(comments.map(({ text, on, username }) => `${username} on ${on}: ${text}`)).toEqual([
    'cat on root: when?',
    'bob on root: answer',
    'ada on root: to the answer',
    'bob on other: to a number',
  ])
  expect(comments[0]?.created_at).toBe(Date.UTC(2025, 0, 1) + 1)
  expect((await load()).isRepeat).toBe(true)
  expect(await db.selectFrom('comments').selectAll().execute()).toHaveLength(4)
})
