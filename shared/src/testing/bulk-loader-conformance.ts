import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type CommentId,
  type FollowId,
  firstIdAt,
  idTime,
  type PostId,
  type UserId,
} from '../domain/id'
import type { BulkLoader } from '../ports/bulk-loader'
import type { EngagementStore } from '../ports/engagement-store'
import type { GraphStore } from '../ports/graph-store'
import type { PostStore } from '../ports/post-store'
import type { UserStore } from '../ports/user-store'
import { codeOf } from './error-code'
import { signUp } from './people'

export interface BulkLoaderHarness extends AsyncDisposable {
  readonly loader: BulkLoader
  readonly users: UserStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly engagement: EngagementStore
}

/** What every `BulkLoader` promises. The tests share one database, each with sources and people of its own. */
export function bulkLoaderConformance(create: () => Promise<BulkLoaderHarness>): void {
  describe('BulkLoader', () => {
    let harness: BulkLoaderHarness
    let loader: BulkLoader
    let batches = 0

    beforeAll(async () => {
      harness = await create()
      loader = harness.loader
    })
    afterAll(() => harness[Symbol.asyncDispose]())

    /** Ids of an hour that no other test writes in. */
    function freshIds(count: number): number[] {
      batches += 1
      const first = firstIdAt(Date.UTC(2025, 0, 1, batches))
      return Array.from({ length: count }, (_, n) => first + n)
    }
    const people = (count: number) =>
      freshIds(count).map((id) => ({
        id: id as UserId,
        username: `loaded_${batches}_${id % 4096}`,
      }))

    test('says where an import stands, and keeps when it began', async () => {
      const begun = await loader.open('begun')
      expect(begun.done).toEqual({ users: 0, follows: 0, posts: 0, comments: 0 })
      await loader.loadUsers('begun', people(2), 'hash', 2)
      await loader.loadUsers('begun', people(3), 'hash', 5)
      expect(await loader.open('begun')).toEqual({
        startedAt: begun.startedAt,
        done: { users: 5, follows: 0, posts: 0, comments: 0 },
      })
      expect((await loader.open('another')).done.users).toBe(0)
    })

    test('makes accounts like any other: named as their user, made when their id says', async () => {
      const loaded = people(2)
      await loader.open('accounts')
      await loader.loadUsers('accounts', loaded, 'their hash', 2)
      for (const { id, username } of loaded) {
        const user = { id, username, displayName: username, createdAt: idTime(id) }
        expect(await harness.users.findCredentials(username)).toEqual({
          user,
          passwordHash: 'their hash',
        })
        expect(await harness.users.findAccount(id)).toEqual({ ...user, graphVersion: 0 })
      }
    })

    test('writes nothing of a batch with a name that is taken, and does not count it', async () => {
      const { username } = await signUp(harness.users)
      const [first, second] = people(2)
      await loader.open('taken')
      const batch = [first!, { ...second!, username }]
      expect(await codeOf(loader.loadUsers('taken', batch, 'hash', 2))).toBe('username_taken')
      expect(await harness.users.findByUsername(first!.username)).toBeNull()
      expect((await loader.open('taken')).done.users).toBe(0)
    })

    test('passes over follows that exist, and says how many were new', async () => {
      const loaded = people(3)
      const [ann, bob, cem] = loaded.map(({ id }) => id) as [UserId, UserId, UserId]
      await loader.open('follows')
      await loader.loadUsers('follows', loaded, 'hash', 3)
      await harness.graph.follow(ann, bob)
      const before = await harness.users.findAccount(bob)
      const ids = freshIds(2) as FollowId[]
      const follows = [
        { id: ids[0]!, follower: ann, followee: bob },
        { id: ids[1]!, follower: bob, followee: cem },
      ]
      expect(await loader.loadFollows('follows', follows, 2)).toBe(1)
      expect(await loader.loadFollows('follows', follows, 2)).toBe(0)
      const page = { before: null, limit: 10 }
      const followed = async (by: UserId) =>
        (await harness.graph.following(by, by, page)).items.map(({ id }) => id)
      expect([await followed(ann), await followed(bob)]).toEqual([[bob], [cem]])
      const after = await harness.users.findAccount(bob)
      expect(after!.graphVersion).toBeGreaterThan(before!.graphVersion)
      expect((await loader.open('follows')).done.follows).toBe(2)
    })

    test('makes comments on posts that are there, by who wrote them, and counts them', async () => {
      const [author, reader] = people(2)
      await loader.open('comments')
      await loader.loadUsers('comments', [author!, reader!], 'hash', 2)
      const [first] = freshIds(1) as [PostId]
      const post = { id: first, authorId: author!.id, text: 'post', createdAt: 5 }
      await loader.loadPosts('comments', [post], 1)
      const comment = (text: string, change: object = {}) => ({
        id: (first + 9) as number as CommentId,
        post: first,
        postAuthor: author!.id,
        authorId: reader!.id,
        text,
        createdAt: 77,
        ...change,
      })
      const loaded = await loader.loadComments(
        'comments',
        [
          comment('one'),
          comment('two: its id is taken'),
          comment('of no post', { post: first + 1 }),
          comment('of somebody else’s', { postAuthor: reader!.id }),
        ],
        4,
      )
      expect(loaded).toBe(2)
      const page = { after: null, limit: 10 }
      const { items } = await harness.engagement.comments(first, author!.id, page)
      expect(items.map(({ text, createdAt }) => [text, createdAt])).toEqual([
        ['one', 77],
        ['two: its id is taken', 77],
      ])
      expect((await harness.posts.find(first, author!.id)).counts.comments).toBe(2)
      expect((await loader.open('comments')).done.comments).toBe(4)
    })

    test('loads what was written elsewhere once, by its name, else by its time and text', async () => {
      const [author, other] = people(2)
      await loader.open('notes')
      await loader.loadUsers('notes', [author!, other!], 'hash', 2)
      const [first] = freshIds(1) as [PostId]
      const note = (name: string, text: string, createdAt = 7, authorId = author!.id) => ({
        id: (first + createdAt) as PostId,
        authorId,
        text,
        createdAt,
        note: name.padEnd(64, '0'),
      })
      const texts = async () => {
        const page = await harness.posts.byAuthor(author!.id, author!.id, {
          before: null,
          limit: 20,
        })
        return page.items.map(({ body }) => body.text).sort()
      }
      await loader.loadPosts('notes', [note('', 'written here', 3)], 1)
      expect(await loader.loadNotes([])).toBe(0)
      expect(await loader.loadNotes([note('a', 'one'), note('b', 'two', 8)])).toBe(2)
      const later = [note('a', 'one, edited there'), note('c', 'three', 9), note('c', 'again', 9)]
      expect(await loader.loadNotes(later)).toBe(1)
      expect(await loader.loadNotes([note('d', 'two', 8), note('e', 'written here', 3)])).toBe(0)
      expect(await loader.loadNotes([note('d', 'two, otherwise', 80)])).toBe(0)
      expect(await texts()).toEqual(['one', 'three', 'two', 'written here'])
      await harness.posts.delete((first + 7) as PostId, author!.id)
      expect(await loader.loadNotes([note('a', 'one')])).toBe(0)
      expect(await texts()).toEqual(['three', 'two', 'written here'])
      expect(await loader.loadNotes([note('a', 'one', 70, other!.id)])).toBe(1)
      const counts = (await harness.posts.find((first + 9) as PostId, author!.id)).counts
      expect(counts).toEqual({ likes: 0, comments: 0 })
    })

    test('refuses ids that no number holds exactly', async () => {
      const [author] = people(1)
      await loader.open('inexact')
      await loader.loadUsers('inexact', [author!], 'hash', 1)
      const post = { id: (2 ** 53) as PostId, authorId: author!.id, text: 'x', createdAt: 1 }
      const refused = loader.loadPosts('inexact', [post], 1)
      expect(await refused.catch((error) => error)).toBeInstanceOf(RangeError)
      expect((await loader.open('inexact')).done.posts).toBe(0)
    })

    test('gives a post whose id is taken the next that is free', async () => {
      const [author] = people(1)
      await loader.open('taken')
      await loader.loadUsers('taken', [author!], 'hash', 1)
      const [first] = freshIds(1) as [PostId]
      const post = (text: string, offset: number) => ({
        id: (first + offset) as PostId,
        authorId: author!.id,
        text,
        createdAt: 7,
      })
      await loader.loadPosts('taken', [post('one', 0), post('two', 1)], 2)
      await loader.loadPosts('taken', [post('three', 0), post('four', 5)], 4)
      const ids = await harness.posts.feedIds(author!.id, { before: null, limit: 10 })
      expect(ids.map((id) => id - first)).toEqual([5, 2, 1, 0])
      const { body, counts } = await harness.posts.find((first + 2) as PostId, author!.id)
      expect([body.text, body.createdAt, counts]).toEqual(['three', 7, { likes: 0, comments: 0 }])
    })

    test('makes posts like any other, with counts to move', async () => {
      const [author] = people(1)
      await loader.open('posts')
      await loader.loadUsers('posts', [author!], 'hash', 1)
      const ids = freshIds(3) as PostId[]
      const texts = ['one', '둘 🎉', 'three']
      const posts = ids.map((id, n) => ({
        id,
        authorId: author!.id,
        text: texts[n]!,
        createdAt: 1_000 * n,
      }))
      await loader.loadPosts('posts', posts, 3)
      const page = { before: null, limit: 10 }
      expect(await harness.posts.feedIds(author!.id, page)).toEqual(ids.toReversed())
      const { body, counts } = await harness.posts.find(ids[1]!, author!.id)
      expect(body).toEqual({
        id: ids[1]!,
        authorId: author!.id,
        version: 1,
        text: '둘 🎉',
        createdAt: 1_000,
        editedAt: null,
      })
      expect(counts).toEqual({ likes: 0, comments: 0 })
      expect((await loader.open('posts')).done).toEqual({
        users: 1,
        follows: 0,
        posts: 3,
        comments: 0,
      })
    })
  })
}
