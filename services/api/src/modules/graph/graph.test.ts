import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'
import { Profile, UserPage } from '../users/schema'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

type Relationship = 'follow' | 'block' | 'mute'

function put(as: TestUser, whom: string, relationship: Relationship) {
  return api.request('PUT', `/v1/users/${whom}/${relationship}`, { as })
}

function undo(as: TestUser, whom: string, relationship: Relationship) {
  return api.request('DELETE', `/v1/users/${whom}/${relationship}`, { as })
}

function get(as: TestUser, path: string) {
  return api.request('GET', path, { as })
}

async function pair(name: string): Promise<[TestUser, TestUser]> {
  return [await api.signUp(`${name}_a`), await api.signUp(`${name}_b`)]
}

test.each(['follow', 'block', 'mute'] as const)(
  '%s can be repeated and undone',
  async (relationship) => {
    const [a, b] = await pair(`again_${relationship}`)
    for (const _ of [1, 2]) expectNoContent(await put(a, b.username.toUpperCase(), relationship))
    for (const _ of [1, 2]) expectNoContent(await undo(a, b.username, relationship))
  },
)

test.each(['follow', 'block', 'mute'] as const)(
  '%s is not for oneself or nobody',
  async (relationship) => {
    const a = await api.signUp(`self_${relationship}`)
    expectProblem(await put(a, a.username, relationship), 'self_target')
    expectProblem(await undo(a, a.username, relationship), 'self_target')
    expectProblem(await put(a, 'nobody', relationship), 'not_found')
    expectProblem(await undo(a, 'nobody', relationship), 'not_found')
    expectProblem(await api.request('PUT', `/v1/users/nobody/${relationship}`), 'unauthenticated')
  },
)

test('a profile tells how both stand to each other, with counts', async () => {
  const [a, b] = await pair('profile')
  await put(a, b.username, 'follow')
  await put(a, b.username, 'mute')
  await api.request('POST', '/v1/posts', { as: b, body: { text: 'one' } })
  const seen = await get(a, '/v1/users/PROFILE_b')
  expectBody(seen, 200, Profile)
  expect(seen.body).toMatchObject({
    username: 'profile_b',
    counts: { followers: 1, following: 0, posts: 1 },
    viewer: { following: true, followedBy: false, muted: true },
  })
  const back = await get(b, '/v1/users/profile_a')
  expect(back.body).toMatchObject({
    counts: { followers: 0, following: 1, posts: 0 },
    viewer: { following: false, followedBy: true, muted: false },
  })
  expect((await get(a, '/v1/users/profile_a')).body.viewer.following).toBe(false)
  for (const name of ['nobody', '%00', '%E0%A4%A', 'a%2Fb', '한', 'x'.repeat(2_000)]) {
    expectProblem(await get(a, `/v1/users/${name}`), 'not_found')
  }
})

describe('a block', () => {
  test('ends both follows, bars new ones and hides each from the other', async () => {
    const [a, b] = await pair('wall')
    await put(a, b.username, 'follow')
    await put(b, a.username, 'follow')
    const post = await api.request('POST', '/v1/posts', { as: b, body: { text: 'behind walls' } })
    await api.settle()
    expectNoContent(await put(a, b.username, 'block'))

    for (const [viewer, other] of [
      [a, b],
      [b, a],
    ] as const) {
      expectProblem(await put(viewer, other.username, 'follow'), 'blocked')
      expectProblem(await put(viewer, other.username, 'mute'), 'not_found')
      for (const list of ['', '/posts', '/followers', '/following']) {
        expectProblem(await get(viewer, `/v1/users/${other.username}${list}`), 'not_found')
      }
      const users = await get(viewer, `/v1/search/users?q=${other.username}`)
      expect(users.body).toEqual({ items: [], nextCursor: null })
    }
    const path = `/v1/posts/${post.body.id}`
    expectProblem(await get(a, path), 'not_found')
    expectProblem(await api.request('PUT', `${path}/like`, { as: a }), 'not_found')
    expectProblem(await api.request('DELETE', `${path}/like`, { as: a }), 'not_found')
    expectProblem(await get(a, `${path}/comments`), 'not_found')
    expectProblem(
      await api.request('POST', `${path}/comments`, { as: a, body: { text: 'hello' } }),
      'not_found',
    )
    expect((await get(a, '/v1/feed')).body.items).toEqual([])
    expect((await get(a, '/v1/search/posts?q=walls')).body.items).toEqual([])
    expect((await get(a, `/v1/search/posts?q=walls&author=${b.username}`)).body.items).toEqual([])

    expectNoContent(await undo(a, b.username, 'block'))
    expectNoContent(await put(a, b.username, 'follow'))
    expect((await get(a, '/v1/feed')).body.items).toHaveLength(1)
    expect((await get(b, `/v1/users/${a.username}`)).body.viewer.following).toBe(false)
  })

  test('can be returned, and lasts until both lift it', async () => {
    const [a, b] = await pair('mutual')
    expectNoContent(await put(a, b.username, 'block'))
    expectNoContent(await put(b, a.username, 'block'))
    expectNoContent(await undo(a, b.username, 'block'))
    expectProblem(await put(b, a.username, 'follow'), 'blocked')
    expectNoContent(await undo(b, a.username, 'follow'))
    expectNoContent(await undo(b, a.username, 'block'))
    expectNoContent(await put(b, a.username, 'follow'))
  })

  test('hides people from the lists of others', async () => {
    const [a, b] = await pair('listed')
    const c = await api.signUp('listed_c')
    for (const user of [a, b]) await put(user, c.username, 'follow')
    for (const user of [a, b]) await put(c, user.username, 'follow')
    await put(a, b.username, 'block')
    for (const list of ['followers', 'following']) {
      const seen = await get(a, `/v1/users/${c.username}/${list}`)
      expect(seen.body.items.map((user: { username: string }) => user.username)).toEqual([
        a.username,
      ])
    }
  })
})

test('a mute hides from the feed and nowhere else', async () => {
  const [a, b] = await pair('hush')
  await put(a, b.username, 'follow')
  await api.request('POST', '/v1/posts', { as: b, body: { text: 'quiet please' } })
  await api.settle()
  expect((await get(a, '/v1/feed')).body.items).toHaveLength(1)
  await put(a, b.username, 'mute')
  expect((await get(a, '/v1/feed')).body).toEqual({ items: [], nextCursor: null })
  expect((await get(a, `/v1/users/${b.username}/posts`)).body.items).toHaveLength(1)
  expect((await get(a, '/v1/search/posts?q=quiet')).body.items).toHaveLength(1)
  await undo(a, b.username, 'mute')
  expect((await get(a, '/v1/feed')).body.items).toHaveLength(1)
})

test('followers and following page to the end, latest follow first', async () => {
  const star = await api.signUp('star')
  const fans: TestUser[] = []
  for (let at = 0; at < 7; at += 1) fans.push(await api.signUp(`fan${at}`))
  for (const fan of fans) {
    await put(fan, 'star', 'follow')
    await put(star, fan.username, 'follow')
  }
  const names = fans.map(({ username }) => username).reverse()
  for (const list of ['followers', 'following']) {
    for (const limit of [1, 3, 7, 100]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`
        const page = await get(star, `/v1/users/star/${list}?limit=${limit}${query}`)
        expectBody(page, 200, UserPage)
        seen.push(...page.body.items.map((user: { username: string }) => user.username))
        cursor = page.body.nextCursor
        expect(page.body.items.length === limit || cursor === null).toBe(true)
      } while (cursor !== null)
      expect(seen).toEqual(names)
    }
    expectProblem(await get(star, `/v1/users/star/${list}?cursor=zzz`), 'invalid_cursor')
  }
})

describe.each(['block', 'mute'] as const)('the list of one’s %ss', (relationship) => {
  const path = `/v1/me/${relationship}s`
  const names = (page: { body: { items: { username: string }[] } }) =>
    page.body.items.map(({ username }) => username)

  test('pages to the end, latest first, and is one’s own', async () => {
    const me = await api.signUp(`${relationship}_lister`)
    const others: string[] = []
    for (let at = 0; at < 5; at += 1)
      others.push((await api.signUp(`${relationship}ed${at}`)).username)
    // Neither by name nor by id.
    const order = [3, 0, 4, 1, 2].map((at) => others[at]!)
    for (const name of order) {
      await put(me, name, relationship)
      api.clock.advance(1)
    }
    for (const limit of [1, 2, 5, 100]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`
        const page = await get(me, `${path}?limit=${limit}${query}`)
        expectBody(page, 200, UserPage)
        seen.push(...names(page))
        cursor = page.body.nextCursor
        expect(page.body.items.length === limit || cursor === null).toBe(true)
      } while (cursor !== null)
      expect(seen).toEqual(order.toReversed())
    }
    expectProblem(await get(me, `${path}?cursor=zzz`), 'invalid_cursor')
    await undo(me, others[4]!, relationship)
    expect(names(await get(me, path))).toEqual(order.toReversed().filter((n) => n !== others[4]))
    const other = await api.signUp(`${relationship}_other`)
    expect((await get(other, path)).body).toEqual({ items: [], nextCursor: null })
    expectProblem(await api.request('GET', path), 'unauthenticated')
  })

  test('shows whoever blocked one back where one can see that anyway', async () => {
    const [a, b] = await pair(`${relationship}_back`)
    await put(a, b.username, relationship)
    await put(b, a.username, 'block')
    expect(names(await get(a, path))).toEqual(relationship === 'block' ? [b.username] : [])
  })
})

test('the list of people followed is anybody’s to read, as far as they may see it', async () => {
  const [a, b, c] = [
    await api.signUp('list_a'),
    await api.signUp('list_b'),
    await api.signUp('list_c'),
  ]
  for (const { username } of [b, c]) await put(a, username, 'follow')
  await put(c, b.username, 'block')
  const { body } = await get(b, `/v1/users/${a.username}/following`)
  expect(body.items.map(({ username }: { username: string }) => username)).toEqual(['list_b'])
})
