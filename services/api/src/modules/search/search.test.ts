import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { expectBody, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../../testing/test-api'
import { UserPage } from '../users/schema'
import { PostHitPage } from './schema'

let api: TestApi
let reader: TestUser
let writer: TestUser
beforeAll(async () => {
  api = await openTestApi()
  reader = await api.signUp('reader', '읽는 사람')
  writer = await api.signUp('writer', 'Wanda Writer')
})
afterAll(() => api[Symbol.asyncDispose]())

async function write(text: string, as = writer): Promise<string> {
  return (await api.request('POST', '/v1/posts', { as, body: { text } })).body.id
}

function search(query: Record<string, string>, what = 'posts') {
  return api.request('GET', `/v1/search/${what}?${new URLSearchParams(query)}`, { as: reader })
}

async function found(query: Record<string, string>): Promise<string[]> {
  const answer = await search(query)
  expectBody(answer, 200, PostHitPage)
  return answer.body.items.map(({ id }: { id: string }) => id)
}

async function pageToTheEnd(query: Record<string, string>, limit: number, what = 'posts') {
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const at: Record<string, string> = cursor === null ? {} : { cursor }
    const { body } = await search({ ...query, ...at, limit: String(limit) }, what)
    seen.push(...body.items.map(({ id }: { id: string }) => id))
    cursor = body.nextCursor
    expect(cursor === null || body.items.length === limit).toBe(true)
  } while (cursor !== null)
  return seen
}

describe('posts', () => {
  test('are found by their words, with what matched marked and the rest escaped', async () => {
    const id = await write('<b>서울의</b> 날씨가 좋다')
    await write('부산의 날씨')
    await api.settle()
    const answer = await search({ q: '서울 날씨' })
    expectBody(answer, 200, PostHitPage)
    expect(answer.body.nextCursor).toBeNull()
    expect(answer.body.items).toHaveLength(1)
    const [hit] = answer.body.items
    expect(hit).toMatchObject({ id, author: { username: 'writer', displayName: 'Wanda Writer' } })
    expect(hit.highlight).toContain('<mark>')
    expect(hit.highlight).toStartWith('&lt;b&gt;')
    const plain = await api.request('GET', `/v1/posts/${id}`, { as: reader })
    expect(hit).toEqual({ ...plain.body, highlight: hit.highlight })
  })

  test('are filtered by author and time', async () => {
    const old = await write('filtered needle')
    api.clock.advance(60_000)
    const mine = await write('filtered needle', reader)
    await api.settle()
    const now = new Date(api.clock.now()).toISOString()
    expect(await found({ q: 'filtered' })).toEqual([mine, old])
    expect(await found({ q: 'filtered', author: 'WRITER' })).toEqual([old])
    expect(await found({ q: 'filtered', author: 'reader' })).toEqual([mine])
    expect(await found({ q: 'filtered', author: 'nobody' })).toEqual([])
    expect(await found({ q: 'filtered', author: 'no such name!' })).toEqual([])
    expect(await found({ q: 'filtered', since: now })).toEqual([mine])
    expect(await found({ q: 'filtered', until: now })).toEqual([old])
    expect(await found({ q: 'filtered', since: '2025-01-01', until: '2025-01-02' })).toEqual([])
  })

  test('page to the end, newest first where equally relevant', async () => {
    const ids: string[] = []
    for (let at = 0; at < 13; at += 1) ids.unshift(await write('same haystack'))
    await api.settle()
    for (const limit of [1, 4, 12, 13, 14]) {
      expect(await pageToTheEnd({ q: 'haystack' }, limit)).toEqual(ids)
    }
  })

  test('that are gone or hidden are not shown though the index still holds them', async () => {
    const hidden = await api.signUp('hidden_writer')
    const ids: string[] = []
    for (let at = 0; at < 20; at += 1) {
      ids.unshift(await write('stale straw', at % 2 === 0 ? writer : hidden))
    }
    await api.settle()
    await api.request('PUT', '/v1/users/reader/block', { as: hidden })
    const kept = ids.filter((_, at) => at % 2 === 1 && at > 8)
    for (const [at, id] of ids.entries()) {
      if (at % 2 === 1 && at <= 8) await api.request('DELETE', `/v1/posts/${id}`, { as: writer })
    }
    for (const limit of [1, 2, 3, 100]) {
      expect(await pageToTheEnd({ q: 'straw' }, limit)).toEqual(kept)
    }
  })

  test('of people behind a block are asked for once at most', async () => {
    const asked: (readonly number[])[] = []
    await using own = await openTestApi({
      wrap: (deps) => ({
        ...deps,
        search: {
          ...deps.search,
          searchPosts(search) {
            asked.push(search.excludeAuthors)
            return deps.search.searchPosts(search)
          },
        },
      }),
    })
    const [viewer, blocker, blocked] = [
      await own.signUp('viewer'),
      await own.signUp('blocker'),
      await own.signUp('blocked'),
    ]
    await own.request('PUT', '/v1/users/viewer/block', { as: blocker })
    await own.request('PUT', '/v1/users/blocked/block', { as: viewer })
    const others = await own.signUp('other')
    for (const as of [others, blocker, blocker, blocked]) {
      await own.request('POST', '/v1/posts', { as, body: { text: 'a word' } })
    }
    await own.index()
    const page = await own.request('GET', '/v1/search/posts?q=word&limit=1', { as: viewer })
    expect(page.body.items).toHaveLength(1)
    // The first three hits are hidden; from then on nobody of them is asked for.
    expect(asked.map((ids) => ids.toSorted())).toEqual([[], [blocker.id, blocked.id].toSorted()])
  })

  test('of people behind a block are not shown where the index finds them all the same', async () => {
    await using own = await openTestApi()
    const [viewer, other] = [await own.signUp('viewer'), await own.signUp('other')]
    await own.request('POST', '/v1/posts', { as: other, body: { text: 'a word' } })
    await own.index()
    const seen = async () =>
      (await own.request('GET', '/v1/search/posts?q=word', { as: viewer })).body.items.length
    expect(await seen()).toBe(1)
    await own.request('PUT', '/v1/users/viewer/block', { as: other })
    expect(await seen()).toBe(0)
    await own.request('DELETE', '/v1/users/viewer/block', { as: other })
    expect(await seen()).toBe(1)
    await own.request('PUT', '/v1/users/other/block', { as: viewer })
    expect(await seen()).toBe(0)
    await own.request('DELETE', '/v1/users/other/block', { as: viewer })
    expect(await seen()).toBe(1)
  })

  test('show likes, edits and names as they are at that moment', async () => {
    await using own = await openTestApi()
    const [viewer, author] = [await own.signUp('viewer'), await own.signUp('author')]
    const { body: post } = await own.request('POST', '/v1/posts', {
      as: author,
      body: { text: 'a word' },
    })
    await own.index()
    const seen = async () =>
      (await own.request('GET', '/v1/search/posts?q=word', { as: viewer })).body.items[0]
    expect(await seen()).toMatchObject({ text: 'a word', viewer: { liked: false } })
    await own.request('PUT', `/v1/posts/${post.id}/like`, { as: viewer })
    expect(await seen()).toMatchObject({ viewer: { liked: true }, counts: { likes: 1 } })
    await own.request('PATCH', `/v1/posts/${post.id}`, {
      as: author,
      body: { text: 'word, again' },
    })
    await own.request('PATCH', '/v1/me', { as: author, body: { displayName: 'Other' } })
    expect(await seen()).toMatchObject({
      text: 'word, again',
      author: { displayName: 'Other' },
      highlight: '<mark>word</mark>, again',
    })
    await own.request('DELETE', `/v1/posts/${post.id}/like`, { as: viewer })
    expect((await seen()).viewer.liked).toBe(false)
    await own.request('DELETE', `/v1/posts/${post.id}`, { as: author })
    expect(await seen()).toBeUndefined()
  })

  test('take no statement once they are known', async () => {
    const asked: string[] = []
    await using own = await openTestApi({
      wrap: (deps) => ({
        ...deps,
        posts: {
          ...deps.posts,
          visible: async (...args) => {
            asked.push('visible')
            return deps.posts.visible(...args)
          },
          published: async (...args) => {
            asked.push('published')
            return deps.posts.published(...args)
          },
        },
        graph: {
          ...deps.graph,
          blockedEitherWay: async (viewer) => {
            asked.push('blocked')
            return deps.graph.blockedEitherWay(viewer)
          },
        },
      }),
    })
    const [viewer, author] = [await own.signUp('viewer'), await own.signUp('author')]
    await own.request('POST', '/v1/posts', { as: author, body: { text: 'a word' } })
    await own.index()
    const search = () => own.request('GET', '/v1/search/posts?q=word', { as: viewer })
    await search()
    // The post was written here, and so is kept.
    expect(asked).toEqual(['blocked'])
    await search()
    expect(asked).toHaveLength(1)
  })

  test.each([
    [{}, ['query.q']],
    [{ q: '' }, ['query.q']],
    [{ q: '?!' }, ['query.q']],
    [{ q: 'x'.repeat(201) }, ['query.q']],
    [{ q: 'a\u0000' }, ['query.q']],
    [{ q: 'word', since: 'soon' }, ['query.since']],
    [{ q: 'word', until: '2026-02-30' }, ['query.until']],
    [{ q: 'word', since: '2026-01-02', until: '2026-01-01' }, ['query.since']],
    [{ q: 'word', limit: '0' }, ['query.limit']],
    [{ q: 'word', order: 'newest' }, ['query.order']],
  ])('refuse %j', async (query: Record<string, string>, fields: string[]) => {
    expectProblem(await search(query), 'invalid_request', fields)
  })

  test.each(['zzz', btoa('["users",1,2]'), btoa('["search",1]'), btoa('["search","1",2]')])(
    'refuse the cursor %p',
    async (cursor) => {
      const answer = await search({ q: 'word', cursor: cursor.replace(/=+$/, '') })
      expectProblem(answer, 'invalid_cursor')
    },
  )
})

describe('users', () => {
  test('are found by the beginning of the name and by words of the display name', async () => {
    await api.settle()
    const names = async (q: string) => {
      const answer = await search({ q }, 'users')
      expectBody(answer, 200, UserPage)
      return answer.body.items.map(({ username }: { username: string }) => username)
    }
    expect(await names('wri')).toEqual(['writer'])
    expect(await names('@WRITER')).toEqual(['writer'])
    expect(await names('wanda')).toEqual(['writer'])
    expect(await names('읽는')).toEqual(['reader'])
    expect(await names('nobody')).toEqual([])
  })

  test('behind a block are passed over once at most, by the index itself', async () => {
    const asked: { readonly exclude: readonly number[]; readonly hits: readonly number[] }[] = []
    await using own = await openTestApi({
      wrap: (deps) => ({
        ...deps,
        search: {
          ...deps.search,
          async searchUsers(search) {
            const hits = await deps.search.searchUsers(search)
            asked.push({ exclude: search.exclude, hits: hits.map(({ id }) => id) })
            return hits
          },
        },
      }),
    })
    const viewer = await own.signUp('viewer')
    const shown = await own.signUp('many_0')
    const hidden: TestUser[] = []
    for (let at = 1; at <= 12; at += 1) hidden.push(await own.signUp(`many_${at}`))
    await own.index()
    for (const [at, other] of hidden.entries()) {
      const [as, whom] = at % 2 === 0 ? [viewer, other.username] : [other, 'viewer']
      await own.request('PUT', `/v1/users/${whom}/block`, { as })
    }
    const { body } = await own.request('GET', '/v1/search/users?q=many&limit=1', { as: viewer })
    expect(body.items.map(({ username }: { username: string }) => username)).toEqual(['many_0'])
    expect(body.nextCursor).toBeNull()
    expect(asked.map(({ exclude }) => exclude.toSorted())).toEqual([
      [],
      hidden.map(({ id }) => id).toSorted(),
    ])
    expect(asked[1]?.hits).toEqual([shown.id])
  })

  test('page to the end, without who is gone or hidden', async () => {
    const people: TestUser[] = []
    for (let at = 0; at < 9; at += 1) people.push(await api.signUp(`crowd_${at}`))
    await api.settle()
    await api.request('PUT', '/v1/users/reader/block', { as: people[2]! })
    await api.request('DELETE', '/v1/me', {
      as: people[5]!,
      body: { password: PASSWORD },
    })
    const kept = people.filter((_, at) => at !== 2 && at !== 5).map(({ id }) => String(id))
    for (const limit of [1, 3, 7, 20]) {
      const seen = await pageToTheEnd({ q: 'crowd' }, limit, 'users')
      expect(seen.toSorted()).toEqual(kept.toSorted())
    }
    expectProblem(await search({ q: '?' }, 'users'), 'invalid_request', ['query.q'])
    expectProblem(await search({ q: 'x', cursor: 'y' }, 'users'), 'invalid_cursor')
    expectProblem(await search({ q: 'x', author: 'y' }, 'users'), 'invalid_request', [
      'query.author',
    ])
  })
})
