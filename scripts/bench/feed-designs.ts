/**
 * The other ways to serve a feed, to measure beside ours: a program of its own, `bun feed-designs.ts`. Its
 * settings are DATABASE_URL, REDIS_URL (none: the designs with Redis are left out), READERS (a file with
 * a username a line; the bearer token of a reader is its line number) and PORT.
 *
 * None checks a token, a block or a mute; none keeps a promise. They are what a page costs at least.
 */
import { readFileSync } from 'node:fs'
import { environment } from '@sns/shared/config/environment'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PublishedPost } from '@sns/shared/domain/post'
import { Elysia } from 'elysia'
import { Redis } from 'ioredis'
import { openFeedTables } from './feed-tables'

const WINDOW = 800
/** Whole posts in Redis: more of them would not fit beside the rest. */
const WHOLE = 100
const PAGE = 20

const tables = await openFeedTables(environment.DATABASE_URL ?? '')
const redis = environment.REDIS_URL
  ? new Redis(environment.REDIS_URL, { enableAutoPipelining: true })
  : null
const utf8 = new TextEncoder()

const readers: UserId[] = []
const windows: PostId[][] = []
const texts = new Map<PostId, string>()
for (const username of readFileSync(environment.READERS ?? '', 'utf8').split('\n')) {
  const reader = await tables.userId(username)
  const ids = [...(await tables.feedIds(reader, WINDOW))]
  readers.push(reader)
  windows.push(ids)
  const missing = ids.filter((id) => !texts.has(id))
  for (let at = 0; at < missing.length; at += 500) {
    for (const post of await tables.published(missing.slice(at, at + 500))) {
      texts.set(post.body.id, present(post))
    }
  }
}
const pieces = new Map([...texts].map(([id, text]) => [id, utf8.encode(`${text},`)]))

if (redis) {
  for (const [at, ids] of windows.entries()) {
    await redis.unlink(`bench:ids:${at}`, `bench:posts:${at}`)
    if (ids.length === 0) continue
    await redis.rpush(`bench:ids:${at}`, ...ids)
    await redis.rpush(`bench:posts:${at}`, ...ids.slice(0, WHOLE).map((id) => texts.get(id) ?? ''))
  }
  const entries = [...texts]
  for (let at = 0; at < entries.length; at += 1_000) {
    const some = entries.slice(at, at + 1_000)
    await redis.mset(Object.fromEntries(some.map(([id, text]) => [`bench:post:${id}`, text])))
  }
}

function present({ body, author, counts }: PublishedPost): string {
  return JSON.stringify({
    id: String(body.id),
    author: { ...author, id: String(author.id) },
    text: body.text,
    createdAt: new Date(body.createdAt).toISOString(),
    editedAt: body.editedAt === null ? null : new Date(body.editedAt).toISOString(),
    counts,
    viewer: { liked: false },
  })
}

function joined(ids: readonly PostId[]): Uint8Array<ArrayBuffer> {
  const parts = ids.map((id) => pieces.get(id) ?? new Uint8Array())
  const tail = utf8.encode(`],"nextCursor":"${btoa(JSON.stringify(['feed', ids.at(-1)]))}"}`)
  const head = utf8.encode('{"items":[')
  const size = head.length + parts.reduce((sum, part) => sum + part.length, 0) + tail.length
  const page = new Uint8Array(size)
  page.set(head)
  let end = head.length
  for (const part of parts) {
    page.set(part, end)
    end += part.length
  }
  if (parts.length > 0) end -= 1
  page.set(tail, end)
  return page.subarray(0, end + tail.length)
}

const JSON_HEADERS = { headers: { 'content-type': 'application/json' } }
const answer = (body: Uint8Array<ArrayBuffer> | string) => new Response(body, JSON_HEADERS)
const numberOf = (request: Request) =>
  Number(request.headers.get('authorization')?.slice(7) ?? 0) % readers.length
const readerOf = (request: Request) => readers[numberOf(request)] as UserId
const idsIn = (list: readonly string[]) => list.map((id) => Number(id) as PostId)
const constant = joined(windows.find((ids) => ids.length >= PAGE)?.slice(0, PAGE) ?? [])
const page = (items: readonly unknown[]) => JSON.stringify({ items, nextCursor: null })

const app = new Elysia()
  .get('/constant', () => answer(constant))
  .get('/memory', ({ request }) =>
    answer(joined((windows[numberOf(request)] ?? []).slice(0, PAGE))),
  )
  .get('/pull', async ({ request }) => {
    const rows = await tables.pull(readerOf(request), PAGE)
    return answer(page(rows.map((row) => JSON.parse(present(row)))))
  })
if (redis) {
  app
    .get('/redis', async ({ request }) =>
      answer(joined(idsIn(await redis.lrange(`bench:ids:${numberOf(request)}`, 0, PAGE - 1)))),
    )
    .get('/mget', async ({ request }) => {
      const ids = await redis.lrange(`bench:ids:${numberOf(request)}`, 0, PAGE - 1)
      const found = ids.length === 0 ? [] : await redis.mget(ids.map((id) => `bench:post:${id}`))
      return answer(`{"items":[${found.join(',')}],"nextCursor":null}`)
    })
    .get('/whole-posts', async ({ request }) => {
      const found = await redis.lrange(`bench:posts:${numberOf(request)}`, 0, -1)
      return answer(page(found.map((text) => JSON.parse(text)).slice(0, PAGE)))
    })
    .get('/ids', async ({ request }) => {
      const ids = idsIn(await redis.lrange(`bench:ids:${numberOf(request)}`, 0, PAGE - 1))
      const rows = await tables.published(ids)
      const byId = new Map(rows.map((row) => [row.body.id, row]))
      const found = ids.flatMap((id) => byId.get(id) ?? [])
      return answer(page(found.map((row) => JSON.parse(present(row)))))
    })
}
app.get('/readyz', () => 'ready').listen({ port: Number(environment.PORT), hostname: '127.0.0.1' })
