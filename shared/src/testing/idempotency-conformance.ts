import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import { codeOf } from './error-code'
import type { CreatePostStoreHarness, PostStoreHarness } from './post-store-harness'

/** What every `PostStore` and `EngagementStore` promise about repeated requests. */
export function idempotencyConformance(create: CreatePostStoreHarness): void {
  describe('idempotency keys', () => {
    let harness: PostStoreHarness
    beforeAll(async () => {
      harness = await create()
    })
    afterAll(async () => {
      await using ended = harness
      expect(await ended.inconsistencies()).toEqual([])
    })

    const writeKeyed = (authorId: UserId, idempotencyKey: string, text: string) =>
      harness.posts.create({ id: harness.ids.next<'post'>(), authorId, text, idempotencyKey })

    test('answers a repeated key with the first post', async () => {
      const [{ id: ann }, { id: bob }] = [await harness.addUser(), await harness.addUser()]
      const first = await writeKeyed(ann, 'key', 'same')
      expect(first.created).toBe(true)
      expect(await writeKeyed(ann, 'key', 'same')).toEqual({ body: first.body, created: false })
      expect(await codeOf(writeKeyed(ann, 'key', 'Same'))).toBe('idempotency_key_reused')
      expect((await writeKeyed(ann, 'KEY', 'other')).created).toBe(true)
      expect((await writeKeyed(bob, 'key', 'other')).created).toBe(true)
      const edited = await harness.posts.edit(first.body.id, ann, 'edited')
      expect(await writeKeyed(ann, 'key', 'same')).toEqual({ body: edited, created: false })
      expect(await codeOf(writeKeyed(ann, 'key', 'edited'))).toBe('idempotency_key_reused')
    })

    test('makes one post of requests with one key at the same time', async () => {
      const author = (await harness.addUser()).id
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => writeKeyed(author, 'race', 'once')),
      )
      expect(answers.filter(({ created }) => created)).toHaveLength(1)
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
      const page = { before: null, limit: 10 }
      expect((await harness.posts.byAuthor(author, author, page)).items).toHaveLength(1)
    })

    test('does not bring a deleted post back by its key', async () => {
      const author = (await harness.addUser()).id
      const { body } = await writeKeyed(author, 'key', 'gone')
      await harness.posts.delete(body.id, author)
      expect(await codeOf(writeKeyed(author, 'key', 'gone'))).toBe('not_found')
    })

    test('does not answer a key with another user’s post that got the id of the deleted post', async () => {
      const [{ id: ann }, { id: bob }] = [await harness.addUser(), await harness.addUser()]
      const { body } = await writeKeyed(ann, 'key', 'mine')
      await harness.posts.delete(body.id, ann)
      const post = { id: body.id, authorId: bob, text: 'theirs', idempotencyKey: null }
      expect((await harness.posts.create(post)).body.id).toBe(body.id)
      expect(await codeOf(writeKeyed(ann, 'key', 'mine'))).toBe('not_found')
    })

    const commentKeyed = (authorId: UserId, postId: PostId, key: string, text: string) =>
      harness.engagement.comment({
        id: harness.ids.next<'comment'>(),
        postId,
        authorId,
        text,
        idempotencyKey: key,
      })

    test('answers a repeated key with the first comment, counted once', async () => {
      const [{ id: ann }, { id: bob }] = [await harness.addUser(), await harness.addUser()]
      const { id: post } = (await writeKeyed(ann, 'post', 'x')).body
      const { id: other } = (await writeKeyed(ann, 'other', 'x')).body
      const first = await commentKeyed(bob, post, 'key', 'same')
      expect(first.created).toBe(true)
      expect(await commentKeyed(bob, post, 'key', 'same')).toEqual({ ...first, created: false })
      expect(await codeOf(commentKeyed(bob, post, 'key', 'Same'))).toBe('idempotency_key_reused')
      expect(await codeOf(commentKeyed(bob, other, 'key', 'same'))).toBe('idempotency_key_reused')
      expect(await codeOf(writeKeyed(bob, 'key', 'same'))).toBe('idempotency_key_reused')
      expect(await codeOf(commentKeyed(ann, post, 'post', 'x'))).toBe('idempotency_key_reused')
      expect((await commentKeyed(ann, post, 'key', 'same')).created).toBe(true)
      expect((await harness.posts.find(post, ann)).counts.comments).toBe(2)
    })

    test('makes one comment of requests with one key at the same time', async () => {
      const [{ id: ann }, { id: bob }] = [await harness.addUser(), await harness.addUser()]
      const { id: post } = (await writeKeyed(ann, 'raced', 'x')).body
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => commentKeyed(bob, post, 'race', 'once')),
      )
      expect(answers.filter(({ created }) => created)).toHaveLength(1)
      expect(new Set(answers.map(({ comment }) => comment.id)).size).toBe(1)
      expect((await harness.posts.find(post, ann)).counts.comments).toBe(1)
    })

    test('does not bring a deleted comment back by its key, nor answer for a post that is hidden', async () => {
      const [{ id: ann }, { id: bob }] = [await harness.addUser(), await harness.addUser()]
      const { id: post } = (await writeKeyed(ann, 'commented', 'x')).body
      const { comment } = await commentKeyed(bob, post, 'key', 'gone')
      await harness.engagement.deleteComment(comment.id, bob)
      expect(await codeOf(commentKeyed(bob, post, 'key', 'gone'))).toBe('not_found')
      await commentKeyed(bob, post, 'stays', 'stays')
      await harness.graph.block(ann, bob)
      expect(await codeOf(commentKeyed(bob, post, 'stays', 'stays'))).toBe('not_found')
    })

    test('forgets keys once they are old', async () => {
      const author = (await harness.addUser()).id
      const old = await writeKeyed(author, 'old', 'x')
      harness.clock.advance(1_000)
      const young = await writeKeyed(author, 'young', 'x')
      await harness.posts.pruneIdempotencyKeys(harness.clock.now())
      expect((await writeKeyed(author, 'young', 'x')).body.id).toBe(young.body.id)
      const again = await writeKeyed(author, 'old', 'x')
      expect(again.created).toBe(true)
      expect(again.body.id).not.toBe(old.body.id)
    })
  })
}
