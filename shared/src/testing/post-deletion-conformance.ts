import { describe, expect, test } from 'bun:test'
import { createSqlNotificationStore } from '../adapters/sql/notification-store'
import { finishPostDeletions } from '../adapters/sql/post-deletion'
import type { Database } from '../adapters/sql/schema'
import type { CommentId, PostId, UserId } from '../domain/id'
import { createSqlStores } from '../runtime/sql-stores'
import { codeOf } from './error-code'
import { signUp, startSession } from './people'
import { countRowsPerTransaction } from './rows-per-transaction'
import { openTestStores, type TestDatabase } from './sql-database'

/** Rows of a chunk, and the few that say what is deleted. */
const MOST = 510

/** What hangs on a post, or is old, goes in transactions of bounded size. */
export function postDeletionConformance(kind: TestDatabase['kind']): void {
  describe('deleting a post', () => {
    async function open() {
      const stores = await openTestStores(kind)
      const counted = countRowsPerTransaction(stores.database.db)
      const { ids, clock } = stores
      const bounded = createSqlStores(counted.db, { clock, ids })
      const [ann, bob] = [await signUp(stores.users), await signUp(stores.users)]
      const write = async (author: UserId) =>
        (
          await stores.posts.create({
            id: ids.next(),
            authorId: author,
            text: 'text',
            idempotencyKey: null,
          })
        ).body.id
      const count = async (table: 'likes' | 'comments' | 'post_deletions') => {
        const rows = await stores.database.db.selectFrom(table).selectAll().execute()
        return rows.length
      }
      /** Likes and comments by people of whom nobody has to know more. */
      async function fill(post: PostId, likes: number, comments: number, by?: UserId) {
        await insertAll(
          stores.database.db,
          'likes',
          Array.from({ length: likes }, (_, n) => like((1_000 + n) as UserId, post)),
        )
        await insertAll(
          stores.database.db,
          'comments',
          Array.from({ length: comments }, (_, n) =>
            comment(ids.next<'comment'>(), post, by ?? ((1_000 + n) as UserId)),
          ),
        )
        const row = { post_id: post, likes, comments }
        await stores.database.db.insertInto('post_counts').values(row).execute()
      }
      return { ...stores, bounded, counted, ann, bob, write, fill, count }
    }

    test('takes it away at once, and 2,600 likes and comments in bounded steps', async () => {
      await using world = await open()
      const { bounded, counted, ann, bob, write, fill, count } = world
      const [post, other] = [await write(ann.id), await write(ann.id)]
      await fill(post, 1_800, 800, bob.id)
      await fill(other, 3, 2)
      await world.engagement.like(bob.id, post)
      const [said] = await world.database.db
        .selectFrom('comments')
        .select('id')
        .where('post_id', '=', post)
        .limit(1)
        .execute()

      counted.takeMost()
      await bounded.posts.delete(post, ann.id)
      expect(counted.takeMost()).toBeLessThanOrEqual(MOST)
      // Hidden from the answer on, though rows are left.
      expect(await count('likes')).toBeGreaterThan(500)
      expect(await codeOf(world.posts.find(post, ann.id))).toBe('not_found')
      expect(await world.posts.visible(bob.id, [post])).toEqual([])
      expect(await codeOf(world.engagement.like(bob.id, post))).toBe('not_found')
      expect(await codeOf(world.engagement.deleteComment(said!.id, bob.id))).toBe('not_found')
      const page = { before: null, limit: 10 }
      expect(await codeOf(world.engagement.likers(post, ann.id, page))).toBe('not_found')
      expect(await codeOf(bounded.posts.delete(post, ann.id))).toBe('not_found')

      await bounded.posts.finishDeletions(new AbortController().signal)
      expect(counted.takeMost()).toBeLessThanOrEqual(MOST)
      expect([await count('likes'), await count('comments')]).toEqual([3, 2])
      expect(await count('post_deletions')).toBe(0)
      const { counts } = await world.posts.find(other, ann.id)
      expect(counts).toEqual({ likes: 3, comments: 2 })
      // Nothing is left to do.
      await bounded.posts.finishDeletions(new AbortController().signal)
      expect(counted.takeMost()).toBe(0)
    }, 20_000)

    test('continues after each step that it is killed at, and two at once do no harm', async () => {
      await using world = await open()
      const { ann, write, fill, count } = world
      const { db } = world.database
      const post = await write(ann.id)
      await fill(post, 650, 40)
      await world.posts.delete(post, ann.id)
      let before = (await count('likes')) + (await count('comments'))
      expect(before).toBe(190)
      for (let steps = 0; steps < 40 && before > 0; steps += 1) {
        let more = 1
        const isDone = await finishPostDeletions(db, () => more-- > 0, 17)
        const after = (await count('likes')) + (await count('comments'))
        expect(before - after).toBe(Math.min(17, before))
        expect(isDone).toBe(false)
        before = after
      }
      const finish = () => finishPostDeletions(db, () => true, 17)
      expect(await Promise.all([finish(), finish(), finish()])).toEqual([true, true, true])
      expect(await count('post_deletions')).toBe(0)
    }, 20_000)

    test('gives its id to no other post while rows of it are left', async () => {
      await using world = await open()
      const { ann, bob, write, fill } = world
      const post = await write(ann.id)
      await fill(post, 700, 0)
      await world.posts.delete(post, ann.id)
      const taken = { id: post, authorId: bob.id, text: 'new', idempotencyKey: null }
      const { body } = await world.posts.create(taken)
      expect(body.id).toBe((post + 1) as PostId)
      expect(
        await codeOf(world.posts.create({ ...taken, id: world.ids.next(), authorId: 9 as UserId })),
      ).toBe('unauthenticated')
      await world.posts.finishDeletions(new AbortController().signal)
      expect((await world.posts.create(taken)).body.id).toBe(post)
    }, 20_000)

    test('an account with a post that many like goes in bounded steps too', async () => {
      await using world = await open()
      const { bounded, counted, ann, bob, write, fill, count } = world
      const mine = [await write(ann.id), await write(ann.id), await write(ann.id)]
      for (const post of mine) await fill(post, 900, 300)
      const theirs = await write(bob.id)
      await world.engagement.like(ann.id, theirs)
      for (let at = 0; at < 600; at += 1) await startSession(world.sessions, ann)
      counted.takeMost()
      await bounded.users.delete(ann.id)
      await bounded.users.finishDeletions(new AbortController().signal)
      // Its sessions end at once, in one transaction: the answer promises it.
      expect(counted.takeMost()).toBeLessThanOrEqual(600 + MOST)
      expect([await count('likes'), await count('comments')]).toEqual([0, 0])
      expect(await world.database.db.selectFrom('refresh_tokens').selectAll().execute()).toEqual([])
      expect((await world.posts.find(theirs, bob.id)).counts.likes).toBe(0)
    }, 60_000)

    test('a failure after the post is gone does not hide that it is', async () => {
      await using world = await open()
      const { ann, write, fill } = world
      const post = await write(ann.id)
      await fill(post, 3, 0)
      const { db } = world.database
      const failing = new Proxy(db, {
        get(target, name) {
          const value = Reflect.get(target, name)
          if (name !== 'transaction')
            return typeof value === 'function' ? value.bind(target) : value
          return () => {
            if (transactions++ > 0) throw new Error('connection lost')
            return target.transaction()
          }
        },
      })
      let transactions = 0
      const { clock, ids } = world
      await createSqlStores(failing, { clock, ids }).posts.delete(post, ann.id)
      expect(transactions).toBeGreaterThan(1)
      await world.posts.finishDeletions(new AbortController().signal)
      expect(await world.count('likes')).toBe(0)
    })
  })

  test('what is old goes in bounded steps: notifications, tokens, sessions, keys, names', async () => {
    await using stores = await openTestStores(kind)
    const { db } = stores.database
    const counted = countRowsPerTransaction(db)
    const { clock, ids } = stores
    const bounded = createSqlStores(counted.db, { clock, ids })
    const many = Array.from({ length: 1_201 }, (_, n) => n)
    const user = 1 as UserId
    await insertAll(
      db,
      'notifications',
      many.map((n) => ({
        recipient_id: user,
        kind: 0,
        actor_id: n as UserId,
        subject_id: 0,
        post_id: 0,
        at: 1,
        noticed_at: n === 0 ? 50 : 1,
      })),
    )
    await insertAll(
      db,
      'idempotency_keys',
      many.map((n) => ({
        user_id: user,
        idem_key: `k${n}`,
        post_id: 1 as PostId,
        comment_id: null,
        text_hash: 'h',
        created_at: n === 0 ? 50 : 1,
      })),
    )
    await insertAll(
      db,
      'resting_usernames',
      many.map((n) => ({ username: `name${n}`, rests_until: n === 0 ? 50 : 1 })),
    )
    await insertAll(
      db,
      'refresh_tokens',
      many.map((n) => ({
        hash: `h${n}`,
        family_id: `f${n}`,
        user_id: user,
        expires_at: n === 0 ? 50 : 1,
        replaced_at: null,
        replaced_in: null,
        revoked_at: null,
        created_at: 1,
      })),
    )
    await createSqlNotificationStore(counted.db, { clock }).prune(50)
    await bounded.posts.pruneIdempotencyKeys(50)
    await bounded.users.pruneUsernames(49)
    await bounded.sessions.prune(50)
    expect(counted.takeMost()).toBe(500)
    for (const table of [
      'notifications',
      'idempotency_keys',
      'resting_usernames',
      'refresh_tokens',
    ] as const) {
      expect({ table, rows: (await db.selectFrom(table).selectAll().execute()).length }).toEqual({
        table,
        rows: 1,
      })
    }
  }, 20_000)
}

async function insertAll<Table extends keyof Database>(
  db: TestDatabase['db'],
  table: Table,
  rows: readonly Database[Table][],
) {
  for (let start = 0; start < rows.length; start += 1_000) {
    await db
      .insertInto(table)
      .values(rows.slice(start, start + 1_000) as never)
      .execute()
  }
}

const like = (user: UserId, id: PostId) => ({ user_id: user, post_id: id, created_at: 1 })
const comment = (id: CommentId, postId: PostId, author: UserId) => ({
  id,
  post_id: postId,
  author_id: author,
  text: 'text',
  created_at: 1,
})
