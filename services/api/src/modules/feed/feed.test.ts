import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../../testing/test-api'
import { unreliableTimelines } from '../../testing/unreliable-stores'
import { PostPage } from '../posts/schema'

let isDown = false
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    timelineCap: 8,
    wrap: (deps) => ({
      ...deps,
      timelines: unreliableTimelines(deps.timelines, () => isDown),
    }),
  })
})
afterAll(() => api[Symbol.asyncDispose]())

async function write(as: TestUser, text: string): Promise<string> {
  const answer = await api.request('POST', '/v1/posts', { as, body: { text } })
  expect(answer.status).toBe(201)
  return answer.body.id
}

async function writeMany(as: TestUser, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let at = 0; at < count; at += 1) ids.unshift(await write(as, `${as.username} ${at}`))
  return ids
}

async function page(as: TestUser, query: string) {
  const answer = await api.request('GET', `/v1/feed${query}`, { as })
  expectBody(answer, 200, PostPage)
  const ids: string[] = answer.body.items.map(({ id }: { id: string }) => id)
  return { ids, nextCursor: answer.body.nextCursor as string | null, items: answer.body.items }
}

async function pageToTheEnd(
  as: TestUser,
  limit: number,
  beforeEach = () => Promise.resolve(),
): Promise<string[]> {
  const seen: string[] = []
  let query = `?limit=${limit}`
  for (;;) {
    await beforeEach()
    const { ids, nextCursor } = await page(as, query)
    seen.push(...ids)
    if (nextCursor === null) return seen
    expect(ids).toHaveLength(limit)
    query = `?limit=${limit}&cursor=${nextCursor}`
  }
}

async function counterOf(source: string): Promise<number> {
  const { values } = await api.deps.metrics.feedReads.get()
  return values.find(({ labels }) => labels.source === source)?.value ?? 0
}

describe('a feed', () => {
  test('is empty for who follows nobody and wrote nothing', async () => {
    const user = await api.signUp('lonely')
    expect(await page(user, '')).toMatchObject({ ids: [], nextCursor: null })
  })

  test('tells what is new since, page by page, also below the window', async () => {
    const user = await api.signUp('since')
    const ids = await writeMany(user, 20)
    for (const known of [0, 1, 5, 12, 19]) {
      const all: string[] = []
      let query = `?limit=4&after=${ids[known]}`
      for (;;) {
        const { ids: found, nextCursor } = await page(user, query)
        all.push(...found)
        if (nextCursor === null) break
        expect(found).toHaveLength(4)
        query = `?limit=4&after=${ids[known]}&cursor=${nextCursor}`
      }
      expect(all).toEqual(ids.slice(0, known))
    }
    const { nextCursor } = await page(user, '?limit=3')
    expect((await page(user, `?after=${nextCursor}`)).ids).toEqual(ids.slice(0, 2))
    for (const after of ['', 'x', 'WyJwb3N0cyIsNDA5Nl0']) {
      const answer = await api.request('GET', `/v1/feed?after=${after}`, { as: user })
      expectProblem(answer, 'invalid_cursor', ['query.after'])
    }
  })

  test('holds one’s own posts and those of people followed, newest first', async () => {
    const [a, b, c] = [
      await api.signUp('mix_a'),
      await api.signUp('mix_b'),
      await api.signUp('mix_c'),
    ]
    await api.request('PUT', '/v1/users/mix_b/follow', { as: a })
    const first = await write(b, 'from b')
    await write(c, 'from a stranger')
    const second = await write(a, 'from myself')
    await api.settle()
    expect((await page(a, '')).ids).toEqual([second, first])
  })

  test('pages far below the window, with any page size, to the true end', async () => {
    const [a, b] = [await api.signUp('deep_a'), await api.signUp('deep_b')]
    await api.request('PUT', '/v1/users/deep_b/follow', { as: a })
    await page(a, '')
    const ids = await writeMany(b, 30)
    await api.settle()
    for (const limit of [1, 3, 8, 9, 15, 29, 30, 31, 100]) {
      expect(await pageToTheEnd(a, limit)).toEqual(ids)
    }
  })

  test('longer than a window is rebuilt to its newest part and still ends where it ends', async () => {
    const user = await api.signUp('prolific')
    const ids: string[] = []
    for (let at = 0; at < TIMELINE_CAP + 30; at += 1) {
      const id = api.deps.ids.next<'post'>()
      const post = { id, authorId: user.id, text: 'x', idempotencyKey: null }
      ids.unshift(String((await api.stores.posts.create(post)).body.id))
    }
    expect(await pageToTheEnd(user, 90)).toEqual(ids)
    const loseWindow = () => api.stores.timelines.drop(user.id)
    expect(await pageToTheEnd(user, 90, loseWindow)).toEqual(ids)
  })

  test('says where its ids came from', async () => {
    const [a, b] = [await api.signUp('source_a'), await api.signUp('source_b')]
    await api.request('PUT', '/v1/users/source_b/follow', { as: a })
    await writeMany(b, 12)
    await api.settle()
    const reads = async (query: string) => {
      const before = await Promise.all(['window', 'merge', 'sql'].map(counterOf))
      const { nextCursor } = await page(a, query)
      const after = await Promise.all(['window', 'merge', 'sql'].map(counterOf))
      return { nextCursor, grew: after.map((count, at) => count - (before[at] ?? 0)) }
    }
    expect((await reads('?limit=3')).grew).toEqual([0, 0, 1])
    const top = await reads('?limit=3')
    expect(top.grew).toEqual([1, 0, 0])
    const middle = await reads(`?limit=7&cursor=${top.nextCursor}`)
    expect(middle.grew).toEqual([0, 1, 0])
    expect((await reads(`?limit=7&cursor=${middle.nextCursor}`)).grew).toEqual([0, 0, 1])
  })

  test('takes each next page where the last one ended, whatever comes in above', async () => {
    const [a, b] = [await api.signUp('busy_a'), await api.signUp('busy_b')]
    await api.request('PUT', '/v1/users/busy_b/follow', { as: a })
    const ids = await writeMany(b, 12)
    await api.settle()
    const seen: string[] = []
    let query = '?limit=3'
    for (;;) {
      const { ids: some, nextCursor } = await page(a, query)
      seen.push(...some)
      await write(b, 'newer')
      await write(a, 'newest')
      await api.settle()
      if (nextCursor === null) break
      query = `?limit=3&cursor=${nextCursor}`
    }
    expect(seen).toEqual(ids)
  })

  test('keeps pages full where many posts were deleted', async () => {
    const [a, b] = [await api.signUp('holes_a'), await api.signUp('holes_b')]
    await api.request('PUT', '/v1/users/holes_b/follow', { as: a })
    await page(a, '')
    const ids = await writeMany(b, 24)
    await api.settle()
    await page(a, '?limit=2')
    const kept = ids.filter((_, at) => at % 6 === 5)
    for (const id of ids) {
      if (!kept.includes(id)) await api.request('DELETE', `/v1/posts/${id}`, { as: b })
    }
    for (const limit of [1, 2, 3, 4, 5]) expect(await pageToTheEnd(a, limit)).toEqual(kept)
  })

  test.each(['limit=0', 'limit=101', 'limit=1.5', 'limit=x', 'limit=', 'limit=1e1', 'limit=-1'])(
    'refuses %s',
    async (query) => {
      const user = await api.signUp(`limit_${Math.abs(Bun.hash.crc32(query))}`)
      const answer = await api.request('GET', `/v1/feed?${query}`, { as: user })
      expectProblem(answer, 'invalid_request', ['query.limit'])
    },
  )

  test.each([
    '',
    'abc',
    '%00',
    btoa('["posts",4096]'),
    btoa('["feed"]'),
    btoa('["feed","4096"]'),
    btoa('["feed",-1]'),
    btoa('["feed",1.5]'),
    btoa('["feed",4096,1]'),
    btoa('{"feed":1}'),
    'x'.repeat(500),
  ])('refuses the cursor %p', async (cursor) => {
    const user = await api.signUp(`cursor_${Bun.hash.crc32(cursor)}`)
    const answer = await api.request('GET', `/v1/feed?cursor=${cursor.replace(/=+$/, '')}`, {
      as: user,
    })
    expectProblem(answer, 'invalid_cursor', ['query.cursor'])
  })

  test('refuses parameters it does not know', async () => {
    const user = await api.signUp('typo')
    const answer = await api.request('GET', '/v1/feed?limt=5', { as: user })
    expectProblem(answer, 'invalid_request', ['query.limt'])
    expectProblem(await api.request('GET', '/v1/feed'), 'unauthenticated')
  })
})

describe('reading one’s own writes', () => {
  test('shows posts, edits, deletes, follows and unfollows on the next read, unsettled', async () => {
    const [a, b] = [await api.signUp('mine_a'), await api.signUp('mine_b')]
    await page(a, '')
    const id = await write(a, 'mine')
    expect((await page(a, '')).ids).toEqual([id])
    await api.request('PATCH', `/v1/posts/${id}`, { as: a, body: { text: 'edited' } })
    expect((await page(a, '')).items[0].text).toBe('edited')
    const theirs = await write(b, 'theirs')
    await api.request('PUT', '/v1/users/mine_b/follow', { as: a })
    expect((await page(a, '')).ids).toEqual([theirs, id])
    await api.request('PUT', `/v1/posts/${theirs}/like`, { as: a })
    expect((await page(a, '')).items[0]).toMatchObject({
      counts: { likes: 1 },
      viewer: { liked: true },
    })
    await api.request('DELETE', '/v1/users/mine_b/follow', { as: a })
    expect((await page(a, '')).ids).toEqual([id])
    await api.request('DELETE', `/v1/posts/${id}`, { as: a })
    expect((await page(a, '')).ids).toEqual([])
  })

  test('holds when the timelines are away while the post is written', async () => {
    const user = await api.signUp('outage')
    const first = await write(user, 'before')
    expect((await page(user, '')).ids).toEqual([first])
    isDown = true
    const second = await write(user, 'during')
    isDown = false
    expect((await page(user, '')).ids).toEqual([second, first])
  })
})

test('a repeated request brings into one’s feed what its first try only wrote', async () => {
  const user = await api.signUp('repeats')
  expect((await page(user, '')).ids).toEqual([])
  // As a process leaves it that ends between the commit and what follows.
  const { body } = await api.stores.posts.create({
    id: api.deps.ids.next<'post'>(),
    authorId: user.id,
    text: 'twice',
    idempotencyKey: 'once',
  })
  expect((await page(user, '')).ids).toEqual([])
  const headers = { 'idempotency-key': 'once' }
  await api.request('POST', '/v1/posts', { as: user, body: { text: 'twice' }, headers })
  expect((await page(user, '')).ids).toEqual([String(body.id)])
})

describe('without timelines and caches', () => {
  test('an account is deleted', async () => {
    const gone = await api.signUp('gone_meanwhile')
    isDown = true
    const answer = await api.request('DELETE', '/v1/me', {
      as: gone,
      body: { password: PASSWORD },
    })
    isDown = false
    expectNoContent(answer)
    expectProblem(await api.request('GET', '/v1/me', { as: gone }), 'unauthenticated')
  })

  test('reads are right, page by page', async () => {
    const [a, b] = [await api.signUp('down_a'), await api.signUp('down_b')]
    await api.request('PUT', '/v1/users/down_b/follow', { as: a })
    const ids = await writeMany(b, 20)
    await api.settle()
    await page(a, '')
    isDown = true
    for (const limit of [3, 20, 100]) expect(await pageToTheEnd(a, limit)).toEqual(ids)
    expectNoContent(await api.request('DELETE', `/v1/posts/${ids[0]}`, { as: b }))
    expect(await pageToTheEnd(a, 7)).toEqual(ids.slice(1))
    isDown = false
    expect(await pageToTheEnd(a, 7)).toEqual(ids.slice(1))
  })
})

test('a post pushed just before a window begins to be rebuilt is in it', async () => {
  let before: () => Promise<void> = async () => {}
  await using api = await openTestApi({
    wrap: (deps) => ({
      ...deps,
      timelines: {
        ...deps.timelines,
        async beginRebuild(user) {
          const once = before
          before = async () => {}
          await once()
          return deps.timelines.beginRebuild(user)
        },
      },
    }),
  })
  const [a, b] = [await api.signUp('order_a'), await api.signUp('order_b')]
  await api.request('PUT', '/v1/users/order_b/follow', { as: a })
  const { body: first } = await api.request('POST', '/v1/posts', { as: b, body: { text: 'x' } })
  await api.fanOut()
  let second = ''
  before = async () => {
    second = (await api.request('POST', '/v1/posts', { as: b, body: { text: 'y' } })).body.id
    await api.fanOut()
  }
  const ids = async () =>
    (await api.request('GET', '/v1/feed', { as: a })).body.items.map(({ id }: { id: string }) => id)
  await ids()
  expect(second).not.toBe('')
  expect(await ids()).toEqual([second, first.id])
})
