import { afterAll, beforeAll, expect, test } from 'bun:test'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'
import { type Post, PostPage } from '../posts/schema'
import { UserPage } from '../users/schema'
import { Comment, CommentPage } from './schema'

let api: TestApi
let author: TestUser
let fan: TestUser
let post: string
beforeAll(async () => {
  api = await openTestApi()
  author = await api.signUp('author')
  fan = await api.signUp('fan', '팬')
  const answer = await api.request('POST', '/v1/posts', { as: author, body: { text: 'like me' } })
  post = `/v1/posts/${answer.body.id}`
})
afterAll(() => api[Symbol.asyncDispose]())

async function seenBy(as: TestUser) {
  const { body } = await api.request('GET', post, { as })
  return { ...body.counts, liked: body.viewer.liked }
}

test('a like counts once, for whom it is, and can be taken back', async () => {
  for (const _ of [1, 2]) expectNoContent(await api.request('PUT', `${post}/like`, { as: fan }))
  expect(await seenBy(fan)).toEqual({ likes: 1, comments: 0, liked: true })
  expect(await seenBy(author)).toEqual({ likes: 1, comments: 0, liked: false })
  for (const _ of [1, 2]) expectNoContent(await api.request('DELETE', `${post}/like`, { as: fan }))
  expect(await seenBy(fan)).toEqual({ likes: 0, comments: 0, liked: false })
})

test('likes and comments need a post', async () => {
  const gone = '/v1/posts/4096'
  expectProblem(await api.request('PUT', `${gone}/like`, { as: fan }), 'not_found')
  expectProblem(await api.request('DELETE', `${gone}/like`, { as: fan }), 'not_found')
  expectProblem(await api.request('GET', `${gone}/comments`, { as: fan }), 'not_found')
  const comment = { as: fan, body: { text: 'hello?' } }
  expectProblem(await api.request('POST', `${gone}/comments`, comment), 'not_found')
})

test('a comment repeated with its Idempotency-Key is the first one, counted once', async () => {
  const { body } = await api.request('POST', '/v1/posts', { as: author, body: { text: 'keyed' } })
  const comment = (text: string, key = 'a-key') =>
    api.request('POST', `/v1/posts/${body.id}/comments`, {
      as: fan,
      body: { text },
      headers: { 'idempotency-key': key },
    })
  const first = await comment('yes')
  expectBody(first, 201, Comment)
  expect(first.headers.has('idempotency-replayed')).toBe(false)
  const again = await comment('yes')
  expect([again.status, again.body]).toEqual([201, first.body])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expectProblem(await comment('no'), 'idempotency_key_reused')
  expectProblem(await comment('yes', 'not visible'), 'invalid_request')
  const { counts } = (await api.request('GET', `/v1/posts/${body.id}`, { as: fan })).body
  expect(counts.comments).toBe(1)
})

test('a comment is written, listed, counted and deleted', async () => {
  const written = await api.request('POST', `${post}/comments`, {
    as: fan,
    body: { text: ' 좋아요\r\n! ' },
  })
  expectBody(written, 201, Comment)
  expect(written.body).toMatchObject({
    postId: post.slice('/v1/posts/'.length),
    author: { username: 'fan', displayName: '팬' },
    text: '좋아요\n!',
  })
  expect((await seenBy(author)).comments).toBe(1)
  const page = await api.request('GET', `${post}/comments`, { as: author })
  expectBody(page, 200, CommentPage)
  expect(page.body).toEqual({ items: [written.body], nextCursor: null })

  const path = `/v1/comments/${written.body.id}`
  expectProblem(await api.request('DELETE', path, { as: author }), 'forbidden')
  expectNoContent(await api.request('DELETE', path, { as: fan }))
  expectProblem(await api.request('DELETE', path, { as: fan }), 'not_found')
  expect((await seenBy(author)).comments).toBe(0)
})

test.each([
  ['nothing', ''],
  ['1,001 letters', 'x'.repeat(1_001)],
  ['a null character', '\u0000'],
  ['half a surrogate pair', '\udc00'],
])('a comment cannot be %s', async (_, text) => {
  const answer = await api.request('POST', `${post}/comments`, { as: fan, body: { text } })
  expectProblem(answer, 'invalid_request', ['text'])
})

test('comments page to the end, oldest first', async () => {
  const texts = Array.from({ length: 7 }, (_, at) => `comment ${at}`)
  for (const text of texts) {
    await api.request('POST', `${post}/comments`, { as: fan, body: { text } })
  }
  for (const limit of [1, 3, 7, 8]) {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`
      const page = await api.request('GET', `${post}/comments?limit=${limit}${query}`, { as: fan })
      expectBody(page, 200, CommentPage)
      seen.push(...page.body.items.map((comment: { text: string }) => comment.text))
      cursor = page.body.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(texts)
  }
})

test('whoever likes a post is listed, latest first, and so are the posts that one likes', async () => {
  const [ann, bob, cat] = [
    await api.signUp('ann'),
    await api.signUp('bob'),
    await api.signUp('cat'),
  ]
  const posts: string[] = []
  for (const text of ['one', 'two', 'three']) {
    const { body } = await api.request('POST', '/v1/posts', { as: ann, body: { text } })
    posts.push(body.id)
  }
  for (const [at, who] of [ann, bob, cat].entries()) {
    api.clock.advance(1_000)
    for (const id of posts.slice(at)) await api.request('PUT', `/v1/posts/${id}/like`, { as: who })
  }
  const names: string[] = []
  let query = '?limit=2'
  for (;;) {
    const page = await api.request('GET', `/v1/posts/${posts[2]}/likes${query}`, { as: bob })
    expectBody(page, 200, UserPage)
    names.push(...page.body.items.map((each: { username: string }) => each.username))
    if (page.body.nextCursor === null) break
    query = `?limit=2&cursor=${page.body.nextCursor}`
  }
  expect(names).toEqual(['cat', 'bob', 'ann'])
  const liked = async (as: TestUser) => {
    const page = await api.request('GET', '/v1/me/likes', { as })
    expectBody(page, 200, PostPage)
    expect(page.body.items.every((each: Post) => each.viewer.liked)).toBe(true)
    return page.body.items.map((each: Post) => each.text)
  }
  expect(await liked(ann)).toEqual(['three', 'two', 'one'])
  expect(await liked(cat)).toEqual(['three'])
  await api.request('DELETE', `/v1/posts/${posts[2]}/like`, { as: cat })
  expect(await liked(cat)).toEqual([])
  await api.request('PUT', '/v1/users/bob/block', { as: cat })
  const seen = await api.request('GET', `/v1/posts/${posts[1]}/likes`, { as: cat })
  expect(seen.body.items.map((each: { username: string }) => each.username)).toEqual(['ann'])
  expectProblem(await api.request('GET', '/v1/posts/4096/likes', { as: ann }), 'not_found')
})

test('what a text names is marked in posts and comments, by code points', async () => {
  const text = '👋 @fan #말 https://ex.com/?u=@fan에서'
  const { body } = await api.request('POST', '/v1/posts', { as: author, body: { text } })
  const entities = [
    { type: 'mention', start: 2, end: 6, username: 'fan' },
    { type: 'hashtag', start: 7, end: 9, tag: '말' },
    { type: 'link', start: 10, end: 32, url: 'https://ex.com/?u=@fan' },
  ]
  expect(body.entities).toEqual(entities)
  const feed = await api.request('GET', '/v1/feed?limit=1', { as: author })
  expect(feed.body.items[0].entities).toEqual(entities)
  const comment = await api.request('POST', `/v1/posts/${body.id}/comments`, {
    as: fan,
    body: { text },
  })
  expect(comment.body.entities).toEqual(entities)
})
