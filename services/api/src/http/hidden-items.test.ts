import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { insertAbsent } from '@sns/shared/adapters/sql/inserts'
import type { CommentId, FollowId, PostId, UserId } from '@sns/shared/domain/id'
import { openTestApi } from '../testing/test-api'

const FEW = 20
const MANY = 3_000
const TAG = 'hidden'

/**
 * A reader with as many hidden items in each list: posts of an author who blocks them, and people whom they block.
 */
async function openHidden(count: number) {
  const statements: string[] = []
  const api = await openTestApi({
    onStatement: ({ query }) => void statements.push(query.sql),
  })
  const [reader, author, own] = [
    await api.signUp('reader'),
    await api.signUp('author'),
    await api.signUp('own'),
  ]
  const { body: post } = await api.request('POST', '/v1/posts', { as: own, body: { text: 'x' } })
  const liked = Number(post.id) as PostId
  const numbers = Array.from({ length: count }, (_, n) => n)
  const PERSON = (n: number) => (10 + n) as UserId
  const POST = (n: number) => (10 + n) as PostId
  const insert = async <Table extends Parameters<typeof insertAbsent>[1]>(
    table: Table,
    row: (n: number) => Parameters<typeof insertAbsent<Table>>[2][number],
  ) => {
    for (let at = 0; at < count; at += 1_000) {
      await insertAbsent(api.db, table, numbers.slice(at, at + 1_000).map(row))
    }
  }
  const [created_at, updated_at, text] = [1, 1, `a needle #${TAG}`]
  await insert('users', (n) => ({
    id: PERSON(n),
    username: `person_${n}`,
    display_name: 'x',
    created_at,
    updated_at,
  }))
  await insert('posts', (n) => ({
    id: POST(n),
    author_id: author.id,
    text,
    version: 1,
    edited_at: null,
    created_at,
    updated_at,
  }))
  await insert('post_tags', (n) => ({ tag: TAG, post_id: POST(n) }))
  await insert('likes', (n) => ({ user_id: reader.id, post_id: POST(n), created_at }))
  await insert('likes', (n) => ({ user_id: PERSON(n), post_id: liked, created_at: n }))
  await insert('comments', (n) => ({
    id: (10 + n) as CommentId,
    post_id: liked,
    author_id: PERSON(n),
    text,
    created_at,
  }))
  await insert('follows', (n) => ({
    follower_id: PERSON(n),
    followee_id: own.id,
    id: (10 + n) as FollowId,
    created_at,
  }))
  await insert('follows', (n) => ({
    follower_id: own.id,
    followee_id: PERSON(n),
    id: (10_000 + n) as FollowId,
    created_at,
  }))
  await insert('blocks', (n) => ({ blocker_id: reader.id, blocked_id: PERSON(n), created_at }))
  await insertAbsent(api.db, 'blocks', [
    { blocker_id: author.id, blocked_id: reader.id, created_at },
  ])
  await insert('mutes', (n) => ({ muter_id: reader.id, muted_id: PERSON(n), created_at }))
  await insert('notifications', (n) => ({
    recipient_id: reader.id,
    kind: 0,
    actor_id: PERSON(n),
    subject_id: 0,
    post_id: 0,
    at: n,
    noticed_at: n,
  }))
  await api.index()
  return {
    api,
    reader,
    liked,
    async read(path: string) {
      statements.length = 0
      const { status, body } = await api.request('GET', path, { as: reader })
      return { status, items: body.items, nextCursor: body.nextCursor, count: statements.length }
    },
  }
}

describe('a page over many hidden items', () => {
  let few: Awaited<ReturnType<typeof openHidden>>
  let many: Awaited<ReturnType<typeof openHidden>>
  beforeAll(async () => {
    few = await openHidden(FEW)
    many = await openHidden(MANY)
  }, 60_000)
  afterAll(async () => {
    await few.api[Symbol.asyncDispose]()
    await many.api[Symbol.asyncDispose]()
  })

  const lists: readonly [string, (of: { readonly liked: PostId }) => string][] = [
    ['one’s likes', () => '/v1/me/likes?limit=1'],
    ['a hashtag', () => `/v1/tags/${TAG}/posts?limit=1`],
    ['a search for posts', () => '/v1/search/posts?q=needle&limit=1'],
    ['a search for people', () => '/v1/search/users?q=person&limit=1'],
    ['who likes a post', ({ liked }) => `/v1/posts/${liked}/likes?limit=1`],
    ['comments', ({ liked }) => `/v1/posts/${liked}/comments?limit=1`],
    ['followers', () => '/v1/users/own/followers?limit=1'],
    ['whom one follows', () => '/v1/users/own/following?limit=1'],
    ['mutes', () => '/v1/me/mutes?limit=1'],
    ['notifications', () => '/v1/notifications?limit=1'],
  ]
  test.each(lists)('costs few statements more than over few: %s', async (_name, path) => {
    const read = async (opened: typeof few) => {
      // What is cached of the reader is no part of it.
      await opened.read(path(opened))
      return opened.read(path(opened))
    }
    const [short, long] = [await read(few), await read(many)]
    expect(short).toMatchObject({ status: 200, items: [], nextCursor: null })
    expect(long).toMatchObject({ status: 200, items: [], nextCursor: null })
    // Reads grow fourfold up to a thousand, of two statements each; eight at a time were 750.
    expect(long.count - short.count).toBeLessThanOrEqual(12)
  })
})
