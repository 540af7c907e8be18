import { describe, expect, test } from 'bun:test'
import { finishDeletion } from '../adapters/sql/account-deletion'
import type { Database } from '../adapters/sql/schema'
import { createSqlUserStore } from '../adapters/sql/user-store'
import type { CommentId, FollowId, PostId, UserId } from '../domain/id'
import { codeOf } from './error-code'
import { signUp, startSession } from './people'
import { openTestStores, type TestDatabase } from './sql-database'

/** `UserStore.delete` removes all rows of the account and no row of any other. */
export function accountDeletionConformance(kind: TestDatabase['kind']): void {
  describe('deleting an account', () => {
    test('hides everything at once and resumes in chunks after an interruption', async () => {
      await using stores = await openTestStores(kind)
      const { db } = stores.database
      const users = createSqlUserStore(db, {
        clock: stores.clock,
        deletion: { chunk: 3, inlineMs: 0 },
      })
      const [gone, ann] = [await signUp(users), await signUp(users)]
      const mine = Array.from({ length: 10 }, (_, n) => (1_000_000 + n) as PostId)
      await insertAll(db, 'posts', [
        ...mine.map((id) => post(id, gone.id)),
        post(7 as PostId, ann.id),
      ])
      await insertAll(db, 'likes', [like(ann.id, mine[0]!), like(gone.id, 7 as PostId)])
      await insertAll(db, 'post_counts', [{ post_id: 7 as PostId, likes: 1, comments: 0 }])
      const followers = Array.from({ length: 8 }, (_, n) => (9_000 + n) as UserId)
      await insertAll(db, 'follows', [
        ...followers.map((id, n) => follow(id, gone.id, 10 + n)),
        follow(ann.id, gone.id, 1),
      ])

      expect(await users.delete(gone.id)).toBe(true)
      // No chunk is removed yet, but everything is already hidden.
      expect(await db.selectFrom('posts').select('id').execute()).toHaveLength(11)
      expect(await stores.posts.published(mine)).toEqual([])
      expect(await stores.posts.visible(ann.id, mine)).toEqual([])
      expect(await codeOf(stores.engagement.like(ann.id, mine[0]!))).toBe('not_found')
      expect(await codeOf(stores.graph.follow(ann.id, gone.id))).toBe('not_found')
      expect(await users.findAccount(gone.id)).toBeNull()

      // Killed after some chunks: what was removed stays removed, the rest comes later.
      let chunks = 0
      await finishDeletion(db, gone.id, () => ++chunks <= 2, 3)
      expect(await db.selectFrom('posts').select('id').execute()).toHaveLength(5)
      await users.finishDeletions(new AbortController().signal)
      expect(await db.selectFrom('posts').select('id').execute()).toEqual([{ id: 7 as PostId }])
      expect(await db.selectFrom('likes').selectAll().execute()).toEqual([])
      expect(await db.selectFrom('follows').selectAll().execute()).toEqual([])
      expect(await db.selectFrom('account_deletions').selectAll().execute()).toEqual([])
      expect((await stores.posts.find(7 as PostId, ann.id)).counts).toEqual({
        likes: 0,
        comments: 0,
      })
    })

    test('takes 10,000 posts and all that hangs on them, and lowers others’ counts', async () => {
      await using stores = await openTestStores(kind)
      const { db } = stores.database
      const [gone, ann, bob] = [
        await signUp(stores.users),
        await signUp(stores.users),
        await signUp(stores.users),
      ]
      const mine = Array.from({ length: 10_000 }, (_, n) => (1_000_000 + n) as PostId)
      const theirs = Array.from({ length: 1_200 }, (_, n) => (2_000_000 + n) as PostId)
      await insertAll(db, 'posts', [
        ...mine.map((id) => post(id, gone.id)),
        ...theirs.map((id) => post(id, ann.id)),
      ])
      // Everyone likes everything; the deleted user comments n times on the n-th of ann's first ten.
      const everyLike = [gone, ann, bob].flatMap((user) =>
        [...mine.slice(0, 2_000), ...theirs].map((id) => like(user.id, id)),
      )
      await insertAll(db, 'likes', everyLike)
      const comments = theirs
        .slice(0, 10)
        .flatMap((id, n) => [
          ...Array.from({ length: n }, (_, i) => comment(3_000_000 + n * 100 + i, id, gone.id)),
          comment(4_000_000 + n, id, bob.id),
        ])
      await insertAll(db, 'comments', [
        ...comments,
        ...mine.slice(0, 1_000).map((id, n) => comment(5_000_000 + n, id, bob.id)),
      ])
      await insertAll(db, 'post_counts', [
        ...mine.map((id) => ({ post_id: id, likes: 3, comments: 1 })),
        ...theirs.map((id, n) => ({ post_id: id, likes: 3, comments: n < 10 ? n + 1 : 0 })),
      ])
      await insertAll(db, 'follows', [
        follow(gone.id, ann.id, 1),
        follow(bob.id, gone.id, 2),
        follow(bob.id, ann.id, 3),
      ])
      await insertAll(db, 'blocks', [block(gone.id, bob.id), block(ann.id, gone.id)])
      await insertAll(db, 'mutes', [mute(gone.id, bob.id), mute(ann.id, gone.id)])
      await startSession(stores.sessions, gone)
      await insertAll(db, 'idempotency_keys', [
        {
          user_id: gone.id,
          idem_key: 'k',
          post_id: mine[0]!,
          comment_id: null,
          text_hash: 'h',
          created_at: 1,
        },
      ])

      await stores.users.delete(gone.id)
      await stores.users.finishDeletions(new AbortController().signal)

      expect(await db.selectFrom('posts').select('id').execute()).toHaveLength(theirs.length)
      expect(await db.selectFrom('likes').select('post_id').execute()).toHaveLength(
        2 * theirs.length,
      )
      const counts = await db.selectFrom('post_counts').selectAll().orderBy('post_id').execute()
      expect(counts).toEqual(
        theirs.map((id, n) => ({ post_id: id, likes: 2, comments: n < 10 ? 1 : 0 })),
      )
      expect(await db.selectFrom('comments').select('author_id').distinct().execute()).toEqual([
        { author_id: bob.id },
      ])
      expect(await db.selectFrom('comments').select('id').execute()).toHaveLength(10)
      expect(
        await db.selectFrom('follows').select(['follower_id', 'followee_id']).execute(),
      ).toEqual([{ follower_id: bob.id, followee_id: ann.id }])
      for (const table of [
        'blocks',
        'mutes',
        'sessions',
        'refresh_tokens',
        'idempotency_keys',
      ] as const) {
        expect(await db.selectFrom(table).selectAll().execute()).toEqual([])
      }
      const left = await db.selectFrom('accounts').select('user_id').orderBy('user_id').execute()
      expect(left).toEqual([{ user_id: ann.id }, { user_id: bob.id }])
    }, 60_000)
  })
}

async function insertAll<Table extends keyof Database>(
  db: TestDatabase['db'],
  table: Table,
  rows: readonly Database[Table][],
) {
  for (let start = 0; start < rows.length; start += 1_000) {
    const slice = rows.slice(start, start + 1_000)
    await db
      .insertInto(table)
      .values(slice as never)
      .execute()
  }
}

const post = (id: PostId, author: UserId) => ({
  id,
  author_id: author,
  text: 'text',
  version: 1,
  created_at: 1,
  edited_at: null,
  updated_at: 1,
})
const like = (user: UserId, id: PostId) => ({ user_id: user, post_id: id, created_at: 1 })
const comment = (id: number, postId: PostId, author: UserId) => ({
  id: id as CommentId,
  post_id: postId,
  author_id: author,
  text: 'text',
  created_at: 1,
})
const follow = (a: UserId, b: UserId, id: number) => ({
  follower_id: a,
  followee_id: b,
  id: id as FollowId,
  created_at: 1,
})
const block = (a: UserId, b: UserId) => ({ blocker_id: a, blocked_id: b, created_at: 1 })
const mute = (a: UserId, b: UserId) => ({ muter_id: a, muted_id: b, created_at: 1 })
