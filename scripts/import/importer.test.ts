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
    `${graph} holds no user who could write the posts; ${graph}:1: expected two user numbers`,
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
