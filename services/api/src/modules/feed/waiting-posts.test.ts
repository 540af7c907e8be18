import { expect, test } from 'bun:test'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'

async function write(api: TestApi, as: TestUser): Promise<string> {
  return (await api.request('POST', '/v1/posts', { as, body: { text: 'x' } })).body.id
}

async function read(api: TestApi, as: TestUser, query = ''): Promise<readonly string[]> {
  const { status, body } = await api.request('GET', `/v1/feed${query}`, { as })
  expect(status).toBe(200)
  return body.items.map(({ id }: { id: string }) => id)
}

const lag = async (api: TestApi) => (await api.deps.metrics.feedDeliveryLag.get()).values[0]?.value

/** A reader with a window, who follows an author; nothing is fanned out from here on. */
async function stall(api: TestApi) {
  const [author, reader] = [await api.signUp('author'), await api.signUp('reader')]
  await api.request('PUT', '/v1/users/author/follow', { as: reader })
  const first = await write(api, author)
  await api.fanOut()
  expect(await read(api, reader)).toEqual([first])
  return { author, reader, first }
}

test('while nothing is delivered, a post of somebody else shows after five seconds', async () => {
  await using api = await openTestApi()
  const { author, reader, first } = await stall(api)
  api.clock.advance(1_000)
  const second = await write(api, author)
  api.clock.advance(3_000)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([first])
  api.clock.advance(2_001)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([second, first])
  expect(await lag(api)).toBeCloseTo(6.001)
  // Strangers' posts and those taken back do not.
  const stranger = await api.signUp('stranger')
  await write(api, stranger)
  const gone = await write(api, author)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([gone, second, first])
  await api.request('DELETE', `/v1/posts/${gone}`, { as: author })
  expect(await read(api, reader)).toEqual([second, first])
  await api.request('PUT', '/v1/users/author/mute', { as: reader })
  expect(await read(api, reader)).toEqual([])
})

test('nobody has to write again for the last post to show, and quiet is not a stall', async () => {
  await using api = await openTestApi()
  const { author, reader, first } = await stall(api)
  // A minute later the worker records for the last time that all of it is delivered; nobody writes for an hour.
  api.clock.advance(61_000)
  await api.fanOut()
  api.clock.advance(3_600_000)
  await api.memory.waiting.poll()
  expect(await lag(api)).toBe(0)
  // It was an hour ago that something was delivered, and only now does something wait.
  const login = { username: author.username, password: 'correct horse battery' }
  const again = await api.request('POST', '/v1/auth/login', { body: login })
  const as = { ...author, session: again.body }
  const last = await write(api, as)
  await api.memory.waiting.poll()
  expect(await lag(api)).toBe(0)
  api.clock.advance(6_000)
  await api.memory.waiting.poll()
  expect(await lag(api)).toBe(6)
  const login2 = { username: reader.username, password: 'correct horse battery' }
  const { body } = await api.request('POST', '/v1/auth/login', { body: login2 })
  expect(await read(api, { ...reader, session: body })).toEqual([last, first])
})

test('what a page has shown is in the next, until it is delivered', async () => {
  await using api = await openTestApi()
  const { author, reader, first } = await stall(api)
  const second = await write(api, author)
  api.clock.advance(6_000)
  const third = await write(api, author)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([third, second, first])
  // All but the newest is known to be delivered.
  await api.stores.deliveryProgress.record(api.clock.now() - 1_000)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([third, second, first])
  api.clock.advance(2_000)
  await api.fanOut()
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual([third, second, first])
  expect(api.memory.waiting.current()).toBeNull()
})

test('500 readers while nothing is delivered cost no statement more', async () => {
  let statements = 0
  await using api = await openTestApi({
    onStatement() {
      statements += 1
    },
  })
  const { author, reader, first } = await stall(api)
  const posts = [first]
  for (let n = 0; n < 30; n += 1) posts.unshift(await write(api, author))
  api.clock.advance(6_000)
  await api.memory.waiting.poll()
  expect(await read(api, reader, '?limit=30')).toEqual(posts.slice(0, 30))
  statements = 0
  const pages = await Promise.all(Array.from({ length: 500 }, () => read(api, reader, '?limit=30')))
  for (const page of pages) expect(page).toEqual(posts.slice(0, 30))
  expect(statements).toBe(0)
  await api.memory.waiting.poll()
  expect(statements).toBe(3)
}, 60_000)

test('where more waits than is kept, pages are whole all the same', async () => {
  await using api = await openTestApi({ maxWaiting: 3 })
  const { author, reader, first } = await stall(api)
  const posts = [first]
  for (let n = 0; n < 8; n += 1) posts.unshift(await write(api, author))
  api.clock.advance(6_000)
  await api.memory.waiting.poll()
  expect(await read(api, reader)).toEqual(posts)
  const { body } = await api.request('GET', '/v1/feed?limit=2', { as: reader })
  expect(await read(api, reader, `?limit=4&cursor=${body.nextCursor}`)).toEqual(posts.slice(2, 6))
})

test('what is delivered while a page reads its window is in that page', async () => {
  let meanwhile = async () => {}
  await using api = await openTestApi({
    wrap: (deps) => ({
      ...deps,
      timelines: {
        ...deps.timelines,
        async read(user, page) {
          const slice = await deps.timelines.read(user, page)
          await meanwhile()
          return slice
        },
      },
    }),
  })
  const { author, reader, first } = await stall(api)
  const second = await write(api, author)
  api.clock.advance(6_000)
  await api.memory.waiting.poll()
  meanwhile = async () => {
    api.clock.advance(2_000)
    await api.fanOut()
    await api.memory.waiting.poll()
  }
  expect(await read(api, reader)).toEqual([second, first])
  expect(api.memory.waiting.current()).toBeNull()
})
