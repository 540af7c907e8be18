import { expect, test } from 'bun:test'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import { eventually } from '@sns/shared/testing/eventually'
import { openTestApi, type TestUser } from '../../testing/test-api'

/** The api with reads of the database that are counted, and wait where a test says so. */
async function openCountedApi() {
  const counts = { timelines: 0, rebuilds: 0, pages: 0, lists: 0, running: 0, most: 0 }
  let gate: Promise<void> = Promise.resolve()
  const api = await openTestApi({
    wrap: (deps) => ({
      ...deps,
      timelines: {
        ...deps.timelines,
        read(user, page) {
          counts.timelines += 1
          return deps.timelines.read(user, page)
        },
      },
      posts: {
        ...deps.posts,
        async feedIds(viewer, page) {
          if (page.limit === TIMELINE_CAP) counts.rebuilds += 1
          else counts.pages += 1
          counts.running += 1
          counts.most = Math.max(counts.most, counts.running)
          const ids = await deps.posts.feedIds(viewer, page)
          await gate
          counts.running -= 1
          return ids
        },
        newestIds(author, limit) {
          counts.lists += 1
          return deps.posts.newestIds(author, limit)
        },
      },
    }),
  })
  return {
    api,
    counts,
    /** Reads of feeds do not answer until the returned function is called. */
    holdReads(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

type Opened = Awaited<ReturnType<typeof openCountedApi>>

async function read({ api }: Opened, as: TestUser): Promise<readonly string[]> {
  const { status, body } = await api.request('GET', '/v1/feed', { as })
  expect(status).toBe(200)
  return body.items.map(({ id }: { id: string }) => id)
}

async function write({ api }: Opened, as: TestUser): Promise<string> {
  return (await api.request('POST', '/v1/posts', { as, body: { text: 'x' } })).body.id
}

test('20 cold readers with ten requests each cost 20 rebuilds, a few at once', async () => {
  await using opened = await openCountedApi()
  const { api, counts } = opened
  const author = await api.signUp('author')
  const post = await write(opened, author)
  const readers: TestUser[] = []
  for (let n = 0; n < 20; n += 1) {
    const reader = await api.signUp(`reader_${n}`)
    await api.request('PUT', '/v1/users/author/follow', { as: reader })
    readers.push(reader)
  }
  const open = opened.holdReads()
  const pages = readers.flatMap((reader) => Array.from({ length: 10 }, () => read(opened, reader)))
  // All are at their timelines, which nobody has yet, before the first rebuild ends.
  await eventually(() => counts.timelines === 200 && counts.running === 4)
  open()
  for (const page of await Promise.all(pages)) expect(page).toEqual([post])
  expect(counts).toMatchObject({ rebuilds: 20, pages: 0 })
  expect(counts.most).toBeLessThanOrEqual(4)
}, 60_000)

test('who waits for a rebuild sees what was written after it began', async () => {
  await using opened = await openCountedApi()
  const { api, counts } = opened
  const reader = await api.signUp('reader')
  const first = await write(opened, reader)
  const open = opened.holdReads()
  const early = read(opened, reader)
  await eventually(() => counts.rebuilds > 0)
  const second = await write(opened, reader)
  const late = read(opened, reader)
  open()
  const seen = await early
  expect([[first], [second, first]]).toContainEqual([...seen])
  expect(await late).toEqual([second, first])
  expect(counts.rebuilds).toBe(1)
})

test('whoever waits for a rebuild of a graph that changed since is shown the new one', async () => {
  await using opened = await openCountedApi()
  const { api, counts } = opened
  const [reader, author] = [await api.signUp('reader'), await api.signUp('author')]
  const post = await write(opened, author)
  const open = opened.holdReads()
  const early = read(opened, reader)
  await eventually(() => counts.rebuilds > 0)
  await api.request('PUT', '/v1/users/author/follow', { as: reader })
  const late = read(opened, reader)
  open()
  await early
  expect(await late).toEqual([post])
})

test('500 readers after a post of an author who is merged at read ask for the list once', async () => {
  await using opened = await openCountedApi()
  const { api, counts } = opened
  const author = await api.signUp('author')
  const lane = await api.stores.lanes.begin(author.id)
  await api.stores.lanes.finish(author.id, lane, 'pull')
  const readers: TestUser[] = []
  for (let n = 0; n < 5; n += 1) {
    const reader = await api.signUp(`reader_${n}`)
    await api.request('PUT', '/v1/users/author/follow', { as: reader })
    await read(opened, reader)
    readers.push(reader)
  }
  const post = await write(opened, author)
  counts.lists = 0
  const pages = readers.flatMap((reader) => Array.from({ length: 100 }, () => read(opened, reader)))
  for (const page of await Promise.all(pages)) expect(page).toEqual([post])
  expect(counts.lists).toBe(1)
}, 60_000)
