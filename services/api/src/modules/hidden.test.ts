import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PostId } from '@sns/shared/domain/id'
import { type DocumentedRoute, documentedRoutes, pathOf } from '../testing/documented-routes'
import { expectNoContent, expectProblem } from '../testing/expectations'
import { type Answer, openTestApi, type TestApi, type TestUser } from '../testing/test-api'

/**
 * What differs on purpose: a follow is barred across a block (403 in either direction), and a block can be returned.
 */
const DIFFER = ['PUT /v1/users/{username}/follow', 'PUT /v1/users/{username}/block']

let api: TestApi
let routes: readonly DocumentedRoute[]
let author: TestUser
let viewer: TestUser
let post: string
let comment: string
let session: string
let notification: string
beforeAll(async () => {
  api = await openTestApi()
  routes = await documentedRoutes(api)
  author = await api.signUp('hidden_one')
  viewer = await api.signUp('viewer')
  const write = (path: string, text: string) =>
    api.request('POST', path, { as: author, body: { text } })
  post = (await write('/v1/posts', 'hidden #tag @viewer')).body.id
  comment = (await write(`/v1/posts/${post}/comments`, 'hidden too')).body.id
  session = (await api.request('GET', '/v1/me/sessions', { as: author })).body.items[0].id
  await api.stores.notifications.add([
    {
      recipient: author.id,
      actor: viewer.id,
      kind: 'follow',
      subject: 0,
      post: 0 as PostId,
      at: api.clock.now(),
      isLate: false,
    },
  ])
  await api.request('PUT', '/v1/users/hidden_one/follow', { as: viewer })
  notification = (await api.request('GET', '/v1/notifications', { as: author })).body.items[0]?.id
  await api.request('PUT', '/v1/users/viewer/block', { as: author })
  await api.settle()
})
afterAll(() => api[Symbol.asyncDispose]())

const BODIES: Readonly<Record<string, object>> = {
  'PATCH /v1/posts/{id}': { text: 'x' },
  'POST /v1/posts/{id}/comments': { text: 'x' },
}

function ask(route: DocumentedRoute, params: Record<string, string>, as = viewer) {
  const body = BODIES[route.name]
  return api.request(route.method, pathOf(route, params), {
    as,
    ...(body === undefined ? {} : { body }),
  })
}

/** All that somebody can tell two answers apart by. */
function seen({ status, headers, body }: Answer) {
  const { requestId: _, ...shown } = typeof body === 'object' ? body : { body }
  const told = Object.fromEntries(
    [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name)),
  )
  return { status, told, shown }
}

describe('whoever blocks is to the blocked as if they were not there', () => {
  test('on every route with a username', async () => {
    const named = routes.filter(({ params }) => params.includes('username'))
    expect(named.length).toBeGreaterThan(8)
    for (const route of named) {
      if (DIFFER.includes(route.name)) continue
      // An absent name that is as long.
      const hidden = seen(await ask(route, { username: 'hidden_one' }))
      const absent = seen(await ask(route, { username: 'absent_one' }))
      expect([route.name, absent.status]).toEqual([route.name, 404])
      expect([route.name, hidden]).toEqual([route.name, absent])
    }
  })

  test('but where a follow is barred, and where a block is returned', async () => {
    const path = '/v1/users/hidden_one'
    expectProblem(await api.request('PUT', `${path}/follow`, { as: viewer }), 'blocked')
    expectNoContent(await api.request('PUT', `${path}/block`, { as: viewer }))
    expectNoContent(await api.request('DELETE', `${path}/block`, { as: viewer }))
    expectProblem(await api.request('DELETE', `${path}/block`, { as: viewer }), 'not_found')
  })

  test('on every route with an id', async () => {
    const identified = routes.filter(({ params }) => params.includes('id'))
    expect(identified.length).toBeGreaterThan(8)
    for (const route of identified) {
      const id = route.path.includes('/comments/{id}')
        ? comment
        : route.path.includes('/sessions/{id}')
          ? session
          : post
      const absentId = String(Number(id) - 1)
      const hidden = seen(await ask(route, { id }))
      const absent = seen(await ask(route, { id: absentId }))
      expect([route.name, absent.status]).toEqual([route.name, 404])
      expect([route.name, hidden]).toEqual([route.name, absent])
    }
  })

  test('in what is searched and listed', async () => {
    const get = async (path: string) => seen(await api.request('GET', path, { as: viewer }))
    for (const [hidden, absent] of [
      ['/v1/search/posts?q=hidden', '/v1/search/posts?q=nowhere'],
      [
        '/v1/search/posts?q=hidden&author=hidden_one',
        '/v1/search/posts?q=hidden&author=absent_one',
      ],
      ['/v1/search/users?q=hidden_one', '/v1/search/users?q=absent_one'],
      ['/v1/tags/tag/posts', '/v1/tags/gat/posts'],
    ] as const) {
      expect(await get(hidden)).toEqual(await get(absent))
    }
  })

  test('and nothing of it is changed by asking', async () => {
    expect((await api.request('GET', `/v1/posts/${post}`, { as: author })).body).toMatchObject({
      text: 'hidden #tag @viewer',
      counts: { likes: 0, comments: 1 },
    })
    const sessions = await api.request('GET', '/v1/me/sessions', { as: author })
    expect(sessions.body.items).toHaveLength(1)
  })
})

describe('what one gave can be taken back across a block', () => {
  async function pair(name: string) {
    const [a, b] = [await api.signUp(`${name}_a`), await api.signUp(`${name}_b`)]
    const { body } = await api.request('POST', '/v1/posts', { as: a, body: { text: 'a post' } })
    return { a, b, path: `/v1/posts/${body.id}` }
  }
  const put = (as: TestUser, path: string) => api.request('PUT', path, { as })
  const remove = (as: TestUser, path: string) => api.request('DELETE', path, { as })

  test.each(['author', 'fan'])('a like and a comment, where the %s blocks', async (who) => {
    const { a, b, path } = await pair(`back_${who}`)
    await put(b, `${path}/like`)
    const comment = await api.request('POST', `${path}/comments`, { as: b, body: { text: 'x' } })
    await (who === 'author'
      ? put(a, `/v1/users/${b.username}/block`)
      : put(b, `/v1/users/${a.username}/block`))
    expectNoContent(await remove(b, `${path}/like`))
    expectNoContent(await remove(b, `/v1/comments/${comment.body.id}`))
    expect((await api.request('GET', path, { as: a })).body.counts).toEqual({
      likes: 0,
      comments: 0,
    })
  })

  test('a mute and a block; a follow is over by then', async () => {
    const { a, b } = await pair('relations')
    await put(b, `/v1/users/${a.username}/follow`)
    await put(b, `/v1/users/${a.username}/mute`)
    await put(a, `/v1/users/${b.username}/block`)
    expectProblem(await remove(b, `/v1/users/${a.username}/follow`), 'not_found')
    expectNoContent(await remove(b, `/v1/users/${a.username}/mute`))
    expectProblem(await remove(b, `/v1/users/${a.username}/mute`), 'not_found')
    // Whoever blocks knows of it, and may repeat what they do.
    expectNoContent(await put(b, `/v1/users/${a.username}/block`))
    expectNoContent(await remove(b, `/v1/users/${a.username}/follow`))
    expectNoContent(await remove(b, `/v1/users/${a.username}/block`))
    expectProblem(await remove(b, `/v1/users/${a.username}/block`), 'not_found')
    for (const _ of [1, 2]) expectNoContent(await remove(a, `/v1/users/${b.username}/block`))
  })

  test('one’s own post, by its author alone', async () => {
    const { a, b, path } = await pair('own')
    await put(b, `/v1/users/${a.username}/block`)
    expectProblem(await remove(b, path), 'not_found')
    expectNoContent(await remove(a, path))
  })
})

test('nobody marks as read up to what is somebody else’s', async () => {
  const mark = (as: TestUser, until: string) =>
    api.request('PUT', '/v1/notifications/read', { as, body: { until } })
  const answer = await mark(viewer, notification)
  expectProblem(answer, 'invalid_request', ['until'])
  expect(answer.body.detail).toContain('is not one of your notifications')
})
