import { afterAll, beforeAll, expect, test } from 'bun:test'
import { tagKeysIn } from '@sns/shared/domain/entities'
import type { PostId } from '@sns/shared/domain/id'
import { expectBody, expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'
import { type Post, PostPage } from '../posts/schema'

let api: TestApi
let ada: TestUser
let bob: TestUser
beforeAll(async () => {
  api = await openTestApi()
  ada = await api.signUp('ada')
  bob = await api.signUp('bob')
})
afterAll(() => api[Symbol.asyncDispose]())

/** Writes a post, and its tags as the worker does. */
async function write(as: TestUser, text: string): Promise<string> {
  const { body } = await api.request('POST', '/v1/posts', { as, body: { text } })
  await api.stores.tags.set([{ post: Number(body.id) as PostId, tags: tagKeysIn(text) }])
  return body.id
}

async function tagged(as: TestUser, tag: string, query = ''): Promise<string[]> {
  const page = await api.request('GET', `/v1/tags/${encodeURIComponent(tag)}/posts${query}`, { as })
  expectBody(page, 200, PostPage)
  return page.body.items.map((post: Post) => post.text)
}

test('posts with a hashtag are listed, newest first, whatever its case and width', async () => {
  await write(ada, 'one #말')
  await write(bob, 'two #Bun and #말')
  await write(ada, 'three ＃ＢＵＮ')
  expect(await tagged(ada, '말')).toEqual(['two #Bun and #말', 'one #말'])
  expect(await tagged(bob, 'bun')).toEqual(['three ＃ＢＵＮ', 'two #Bun and #말'])
  expect(await tagged(bob, 'BUN', '?limit=1')).toEqual(['three ＃ＢＵＮ'])
  expect(await tagged(bob, 'nothing')).toEqual([])
})

test('what a post says now decides, not the table that trails it; blocks hide here too', async () => {
  const [edited, deleted] = [await write(ada, '#late one'), await write(ada, '#late two')]
  await write(bob, '#late three')
  expect(await tagged(ada, 'late')).toEqual(['#late three', '#late two', '#late one'])
  await api.request('PATCH', `/v1/posts/${edited}`, { as: ada, body: { text: 'no tag any more' } })
  await api.request('DELETE', `/v1/posts/${deleted}`, { as: ada })
  expect(await tagged(ada, 'late')).toEqual(['#late three'])
  await api.request('PUT', '/v1/users/ada/block', { as: bob })
  expect(await tagged(ada, 'late')).toEqual([])
})

test('a page is full where many posts may not be shown, and cursors are of this list', async () => {
  const ids: string[] = []
  for (let at = 0; at < 12; at += 1) ids.push(await write(ada, `#full ${at}`))
  for (const id of ids.slice(4, 11)) await api.request('DELETE', `/v1/posts/${id}`, { as: ada })
  expect(await tagged(ada, 'full', '?limit=3')).toEqual(['#full 11', '#full 3', '#full 2'])
  const feed = await api.request('GET', '/v1/feed?limit=1', { as: ada })
  const other = `/v1/tags/full/posts?cursor=${feed.body.nextCursor}`
  expectProblem(await api.request('GET', other, { as: ada }), 'invalid_cursor')
})
