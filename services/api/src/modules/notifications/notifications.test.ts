import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { PostId } from '@sns/shared/domain/id'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'
import { type Notification, NotificationPage } from './schema'

let api: TestApi
let me: TestUser
let ann: TestUser
beforeAll(async () => {
  api = await openTestApi()
  me = await api.signUp('mina')
  ann = await api.signUp('ann', '앤')
  // Three posts that ann likes, told as the worker tells it.
  for (let at = 0; at < 3; at += 1) {
    const { body } = await api.request('POST', '/v1/posts', {
      as: me,
      body: { text: `post ${at}` },
    })
    await api.request('PUT', `/v1/posts/${body.id}/like`, { as: ann })
    const post = Number(body.id) as PostId
    await api.stores.notifications.add([
      {
        recipient: me.id,
        actor: ann.id,
        kind: 'like',
        subject: post,
        post,
        at: api.clock.now(),
        isLate: false,
      },
    ])
  }
})
afterAll(() => api[Symbol.asyncDispose]())

async function list(query = '', as = me): Promise<Notification[]> {
  const page = await api.request('GET', `/v1/notifications${query}`, { as })
  expectBody(page, 200, NotificationPage)
  return page.body.items
}

async function unread(): Promise<number> {
  return (await api.request('GET', '/v1/notifications/unread', { as: me })).body.unread
}

test('are listed newest first, page by page, for whom they are', async () => {
  const all = await list()
  expect(all.map(({ text, kind, actor, read }) => [text, kind, actor.username, read])).toEqual([
    ['post 2', 'like', 'ann', false],
    ['post 1', 'like', 'ann', false],
    ['post 0', 'like', 'ann', false],
  ])
  const first = await api.request('GET', '/v1/notifications?limit=2', { as: me })
  expect(first.body.items).toEqual(all.slice(0, 2))
  expect(first.headers.get('link')).toContain(first.body.nextCursor)
  expect(await list(`?cursor=${first.body.nextCursor}`)).toEqual(all.slice(2))
  expect(await list('', ann)).toEqual([])
})

test('are unread until they are marked, which never goes back', async () => {
  const [newest, middle] = await list()
  expect(await unread()).toBe(3)
  const mark = (until: unknown) =>
    api.request('PUT', '/v1/notifications/read', { as: me, body: { until } })
  expectNoContent(await mark(middle!.id))
  expect([await unread(), (await list()).map(({ read }) => read)]).toEqual([1, [false, true, true]])
  expectNoContent(await mark(newest!.id))
  expectNoContent(await mark(middle!.id))
  expect(await unread()).toBe(0)
  expectProblem(await mark('nonsense'), 'invalid_request', ['until'])
  expectProblem(await mark(7), 'invalid_request', ['until'])
})

test('need a session, and cursors of their own', async () => {
  for (const path of ['/v1/notifications', '/v1/notifications/unread'])
    expectProblem(await api.request('GET', path), 'unauthenticated')
  const feed = await api.request('GET', '/v1/feed?limit=1', { as: me })
  const cursor = `/v1/notifications?cursor=${feed.body.nextCursor}`
  expectProblem(await api.request('GET', cursor, { as: me }), 'invalid_cursor')
})
