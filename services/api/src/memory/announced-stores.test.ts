import { describe, expect, test } from 'bun:test'
import type { CommentId, PostId, SessionId, UserId } from '@sns/shared/domain/id'
import type { Change } from '@sns/shared/ports/freshness'
import { RefreshTokenReused } from '@sns/shared/ports/session-store'
import { openReplicas } from '../testing/replicas'
import { createAnnouncedStores, type Stores } from './announced-stores'

const [ann, bob] = [1, 2] as UserId[] as [UserId, UserId]
const POST = 7 as PostId
const viewer = (user: UserId): Change => ({ kind: 'viewer', user })
const engagement: Change = { kind: 'engagement', post: POST, by: ann }

/** Each write of something that processes keep, with what it answers and what must be announced of it. */
const WRITES: readonly {
  readonly name: string
  readonly call: (stores: Stores) => Promise<unknown>
  readonly answer?: unknown
  readonly changes: readonly Change[]
}[] = [
  {
    name: 'users.updateDisplayName',
    call: ({ users }) => users.updateDisplayName(ann, 'Anna'),
    changes: [{ kind: 'author', user: ann }, viewer(ann)],
  },
  {
    name: 'users.touchGraph',
    call: ({ users }) => users.touchGraph([ann, bob]),
    changes: [viewer(ann), viewer(bob)],
  },
  {
    name: 'users.updatePassword',
    call: ({ users }) => users.updatePassword(ann, {} as never),
    changes: [viewer(ann)],
  },
  {
    name: 'users.delete',
    call: ({ users }) => users.delete(ann),
    changes: [{ kind: 'author', user: ann }, viewer(ann)],
  },
  {
    name: 'sessions.end',
    call: ({ sessions }) => sessions.end(ann, 5 as SessionId),
    changes: [viewer(ann)],
  },
  {
    name: 'sessions.endByToken',
    call: ({ sessions }) => sessions.endByToken('hash'),
    answer: ann,
    changes: [viewer(ann)],
  },
  {
    name: 'sessions.rotate',
    call: ({ sessions }) =>
      sessions.rotate('hash', { hash: 'next', expiresAt: 1 }, 0).catch(() => {}),
    answer: new RefreshTokenReused(ann),
    changes: [viewer(ann)],
  },
  { name: 'graph.follow', call: ({ graph }) => graph.follow(ann, bob), changes: [viewer(ann)] },
  { name: 'graph.unfollow', call: ({ graph }) => graph.unfollow(ann, bob), changes: [viewer(ann)] },
  {
    name: 'graph.block',
    call: ({ graph }) => graph.block(ann, bob),
    changes: [viewer(ann), viewer(bob)],
  },
  {
    name: 'graph.unblock',
    call: ({ graph }) => graph.unblock(ann, bob),
    changes: [viewer(ann), viewer(bob)],
  },
  { name: 'graph.mute', call: ({ graph }) => graph.mute(ann, bob), changes: [viewer(ann)] },
  { name: 'graph.unmute', call: ({ graph }) => graph.unmute(ann, bob), changes: [viewer(ann)] },
  {
    name: 'posts.create',
    call: ({ posts }) => posts.create({ id: POST, authorId: ann, text: 'x', idempotencyKey: null }),
    answer: { body: { id: POST, authorId: ann }, created: true },
    changes: [
      { kind: 'created', post: POST, author: ann },
      { kind: 'posts', author: ann },
    ],
  },
  {
    name: 'posts.edit',
    call: ({ posts }) => posts.edit(POST, ann, 'y'),
    changes: [{ kind: 'post', post: POST }],
  },
  {
    name: 'posts.delete',
    call: ({ posts }) => posts.delete(POST, ann),
    changes: [{ kind: 'post', post: POST }],
  },
  {
    name: 'engagement.like',
    call: (stores) => stores.engagement.like(ann, POST),
    changes: [engagement, { kind: 'reactions', user: ann }],
  },
  {
    name: 'engagement.unlike',
    call: (stores) => stores.engagement.unlike(ann, POST),
    changes: [engagement, { kind: 'reactions', user: ann }],
  },
  {
    name: 'engagement.comment',
    call: (stores) => stores.engagement.comment({ postId: POST, authorId: ann } as never),
    changes: [engagement],
  },
  {
    name: 'engagement.deleteComment',
    call: (stores) => stores.engagement.deleteComment(3 as CommentId, ann),
    answer: POST,
    changes: [engagement],
  },
]

/** A method of such a name reads. */
const READS = /\.(find|is|count|with)[A-Z]|[a-z](Ids|Of)$/

/** What else alters nothing that a process keeps: reads, and writes of what is in no memory. */
const NOT_ANNOUNCED = new Set([
  'users.create',
  'users.ids',
  // Their accounts are gone already, and what is left of them shows nowhere.
  'users.finishDeletions',
  'users.pruneUsernames',
  // A session that nobody has seen yet.
  'sessions.start',
  'sessions.list',
  // They had expired, which is in what is kept of them.
  'sessions.prune',
  'graph.blockedEitherWay',
  'graph.blocks',
  'graph.mutes',
  'graph.followers',
  'graph.following',
  'posts.find',
  'posts.byAuthor',
  'posts.visible',
  'posts.published',
  'posts.feedAuthors',
  'posts.liked',
  // The posts are gone already, and what is left of them shows nowhere.
  'posts.finishDeletions',
  'posts.pruneIdempotencyKeys',
  'engagement.likers',
  'engagement.comments',
])

describe('a write of something that processes keep', () => {
  test.each([...WRITES])(
    'is announced after its commit and before its answer: $name',
    async (write) => {
      const { name, call, answer, changes } = write
      const happened: unknown[] = []
      const [store = '', method = ''] = name.split('.')
      const commit = async () => {
        happened.push('committed')
        if (answer instanceof Error) throw answer
        return answer
      }
      const none = { users: {}, sessions: {}, graph: {}, posts: {}, engagement: {} }
      const stores = { ...none, [store]: { [method]: commit } } as unknown as Stores
      const announced = createAnnouncedStores(
        stores,
        {
          async announce(all) {
            await null
            happened.push(all)
          },
        },
        { written: (_, create) => create() },
      )
      await call(announced)
      expect(happened).toEqual(['committed', changes])
    },
  )

  test('is each write but those that alter nothing of it', async () => {
    await using api = await openReplicas(1, { cap: 4 })
    const { users, sessions, graph, posts, engagement: likes } = api.stores
    const all = { users, sessions, graph, posts, engagement: likes }
    const methods = Object.entries(all).flatMap(([store, each]) =>
      Object.keys(each).map((method) => `${store}.${method}`),
    )
    const announced = new Set(WRITES.map(({ name }) => name))
    const isKnown = (name: string) =>
      announced.has(name) || NOT_ANNOUNCED.has(name) || READS.test(name)
    // Announce a new write in `createAnnouncedStores`, or say above why nobody has to hear of it.
    expect(methods.filter((name) => !isKnown(name))).toEqual([])
  })
})

test('a refresh token that was used twice ends its session on every process at once', async () => {
  await using api = await openReplicas(2, { cap: 4 })
  const { token, refreshToken } = await api.signUp('twice')
  const me = async () => (await api.request(1, 'GET', '/v1/me', { token })).status
  const refresh = async (refreshToken: string) => {
    const answer = await api.request(0, 'POST', '/v1/auth/refresh', { body: { refreshToken } })
    return [answer.status, answer.body.refreshToken] as const
  }
  expect(await me()).toBe(200)
  const [, next] = await refresh(refreshToken)
  await refresh(next)
  expect(await me()).toBe(200)
  expect((await refresh(refreshToken))[0]).toBe(401)
  expect(await me()).toBe(401)
})

test('a comment that was deleted is not counted on any process', async () => {
  await using api = await openReplicas(2, { cap: 4 })
  const { token } = await api.signUp('ann')
  const { body } = await api.request(0, 'POST', '/v1/posts', { token, body: { text: 'x' } })
  const commented = await api.request(0, 'POST', `/v1/posts/${body.id}/comments`, {
    token,
    body: { text: 'c' },
  })
  const counts = async () =>
    (await api.request(1, 'GET', '/v1/feed', { token })).body.items[0].counts.comments
  expect(await counts()).toBe(1)
  await api.request(0, 'DELETE', `/v1/comments/${commented.body.id}`, { token })
  expect(await counts()).toBe(0)
})
