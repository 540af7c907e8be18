import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../../testing/test-api'
import { Post, PostPage } from './schema'

let api: TestApi
let author: TestUser
let reader: TestUser
beforeAll(async () => {
  api = await openTestApi()
  author = await api.signUp('author', '글쓴이')
  reader = await api.signUp('reader')
})
afterAll(() => api[Symbol.asyncDispose]())

function write(text: unknown, headers: Record<string, string> = {}, as = author) {
  return api.request('POST', '/v1/posts', { as, body: { text }, headers })
}

function read(id: string, as = reader) {
  return api.request('GET', `/v1/posts/${id}`, { as })
}

describe('writing', () => {
  test('gives the post as everyone sees it', async () => {
    const answer = await write('  오늘 서울은\r\n맑음 ☀️ ')
    expectBody(answer, 201, Post)
    expect(answer.body).toEqual({
      id: answer.body.id,
      author: { id: author.session.user.id, username: 'author', displayName: '글쓴이' },
      text: '오늘 서울은\n맑음 ☀️',
      createdAt: new Date(api.clock.now()).toISOString(),
      editedAt: null,
      entities: [],
      counts: { likes: 0, comments: 0 },
      viewer: { liked: false },
    })
    expect((await read(answer.body.id)).body).toEqual(answer.body)
  })

  test.each([
    ['two thousand letters', 'x'.repeat(2_000)],
    ['two thousand emoji', '😀'.repeat(2_000)],
    ['right to left', 'שלום עולם — مرحبا'],
    ['decomposed Hangul', '한국'.normalize('NFD')],
    ['a joined emoji', '👩‍👩‍👧‍👦'],
    ['markup', '<script>alert("x")</script> & \' " \\'],
    ['what looks like SQL', "'; drop table posts; --"],
  ])('keeps %s', async (_, text) => {
    const answer = await write(text)
    expectBody(answer, 201, Post)
    expect((await read(answer.body.id)).body.text).toBe(text.normalize('NFC'))
  })

  test.each([
    ['nothing', ''],
    ['white space', ' \n\t '],
    ['what cannot be seen', '\u200b\u200d\ufeff'],
    ['2,001 letters', 'x'.repeat(2_001)],
    ['2,001 emoji', '😀'.repeat(2_001)],
    ['a null character', 'a\u0000b'],
    ['an escape character', '\u001b[31mred'],
    ['half a surrogate pair', 'a\ud83d'],
    ['a number', 7],
    ['null', null],
  ])('refuses %s', async (_, text) => {
    expectProblem(await write(text), 'invalid_request', ['text'])
  })

  test('needs an account', async () => {
    expectProblem(
      await api.request('POST', '/v1/posts', { body: { text: 'x' } }),
      'unauthenticated',
    )
  })
})

describe('an Idempotency-Key', () => {
  test('makes a repeat answer with the first post', async () => {
    const key = { 'idempotency-key': 'first-of-all' }
    const first = await write('once', key)
    expect(first.headers.has('idempotency-replayed')).toBe(false)
    const again = await write(' once ', key)
    expectBody(again, 201, Post)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test('is the user’s own, and for one text', async () => {
    const key = { 'idempotency-key': 'shared~!"#' }
    const mine = await write('mine', key)
    const theirs = await write('mine', key, reader)
    expect(theirs.body.id).not.toBe(mine.body.id)
    expectProblem(await write('something else', key), 'idempotency_key_reused')
  })

  test('makes one post of many requests at once', async () => {
    const key = { 'idempotency-key': 'at-once' }
    const answers = await Promise.all(Array.from({ length: 12 }, () => write('at once', key)))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(201))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  })

  test('of a post deleted since finds nothing, and writes nothing', async () => {
    const key = { 'idempotency-key': 'short-lived' }
    const first = await write('short-lived', key)
    await api.request('DELETE', `/v1/posts/${first.body.id}`, { as: author })
    expectProblem(await write('short-lived', key), 'not_found')
    expectProblem(await read(first.body.id), 'not_found')
  })

  test.each(['', 'has space', 'x'.repeat(256), 'é'])('cannot be %p', async (key) => {
    expectProblem(await write('text', { 'idempotency-key': key }), 'invalid_request', [
      'header.idempotency-key',
    ])
  })
})

describe('editing', () => {
  test('changes the text and says when', async () => {
    const { body } = await write('frist')
    api.clock.advance(5_000)
    const answer = await api.request('PATCH', `/v1/posts/${body.id}`, {
      as: author,
      body: { text: 'first' },
    })
    expectBody(answer, 200, Post)
    expect(answer.body).toEqual({
      ...body,
      text: 'first',
      editedAt: new Date(api.clock.now()).toISOString(),
    })
    expect((await read(body.id)).body).toEqual(answer.body)
  })

  test('is for its author alone, and only to what a post may be', async () => {
    const { body } = await write('mine')
    const edit = (as: TestUser, text: string, id = body.id) =>
      api.request('PATCH', `/v1/posts/${id}`, { as, body: { text } })
    expectProblem(await edit(reader, 'theirs'), 'forbidden')
    expectProblem(await edit(author, ' '), 'invalid_request', ['text'])
    expectProblem(await edit(author, 'x', '1'), 'not_found')
    expect((await read(body.id)).body.text).toBe('mine')
  })
})

describe('deleting', () => {
  test('removes the post; the next time there is nothing', async () => {
    const { body } = await write('to be gone')
    const remove = (as: TestUser) => api.request('DELETE', `/v1/posts/${body.id}`, { as })
    expectProblem(await remove(reader), 'forbidden')
    expectNoContent(await remove(author))
    expectProblem(await read(body.id), 'not_found')
    expectProblem(await remove(author), 'not_found')
  })
})

test.each([
  'abc',
  '0',
  '-1',
  '1.5',
  '01',
  '99999999999999999999',
  '%00',
  '%E0%A4%A',
  '9007199254740993',
])('a post cannot be called %s', async (id) => {
  expectProblem(await read(id), 'not_found')
  expectProblem(await api.request('DELETE', `/v1/posts/${id}`, { as: author }), 'not_found')
  expectProblem(await api.request('PUT', `/v1/posts/${id}/like`, { as: author }), 'not_found')
  expectProblem(await api.request('DELETE', `/v1/comments/${id}`, { as: author }), 'not_found')
})

test('the posts of a user page to the end, newest first', async () => {
  const busy = await api.signUp('busy')
  const ids: string[] = []
  for (let at = 0; at < 9; at += 1) ids.unshift((await write(`number ${at}`, {}, busy)).body.id)
  for (const limit of [1, 2, 4, 9, 50]) {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const { data }: Awaited<ReturnType<ReturnType<typeof listOf>>> = await listOf('busy')(
        limit,
        cursor,
      )
      seen.push(...(data?.items ?? []).map(({ id }) => id))
      cursor = data?.nextCursor ?? null
    } while (cursor !== null)
    expect(seen).toEqual(ids)
  }
  const page = await api.request('GET', '/v1/users/BUSY/posts?limit=3', { as: reader })
  expectBody(page, 200, PostPage)
  const other = `/v1/feed?cursor=${page.body.nextCursor}`
  expectProblem(await api.request('GET', other, { as: reader }), 'invalid_cursor', ['query.cursor'])
  expectProblem(await api.request('GET', '/v1/users/nobody/posts', { as: reader }), 'not_found')
})

function listOf(username: string) {
  return (limit: number, cursor: string | null) =>
    reader.client.v1.users({ username }).posts.get({
      query: { limit, ...(cursor === null ? {} : { cursor }) },
    })
}
