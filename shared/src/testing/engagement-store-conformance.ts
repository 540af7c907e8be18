import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type CommentId, idTime, type PostId, type UserId } from '../domain/id'
import { awkwardTexts } from './awkward-texts'
import { codeOf } from './error-code'
import type { CreatePostStoreHarness, PostStoreHarness } from './post-store-harness'

/** What every `EngagementStore` promises. */
export function engagementStoreConformance(create: CreatePostStoreHarness): void {
  describe('EngagementStore', () => {
    let harness: PostStoreHarness
    beforeAll(async () => {
      harness = await create()
    })
    afterAll(async () => {
      await using ended = harness
      expect(await ended.inconsistencies()).toEqual([])
    })

    const addUser = async () => (await harness.addUser()).id
    const addUsers = async (count: number) => {
      return Promise.all(Array.from({ length: count }, addUser))
    }
    const write = async (authorId: UserId) => {
      const id = harness.ids.next<'post'>()
      const post = { id, authorId, text: 'post', idempotencyKey: null }
      return (await harness.posts.create(post)).body.id
    }
    const say = async (authorId: UserId, postId: PostId, text = 'comment') => {
      const id = harness.ids.next<'comment'>()
      const comment = { id, postId, authorId, text, idempotencyKey: null }
      return (await harness.engagement.comment(comment)).comment
    }
    const seen = async (postId: PostId, viewer: UserId) => {
      const { counts, liked } = await harness.posts.find(postId, viewer)
      return { ...counts, liked }
    }
    const listed = async (postId: PostId, viewer: UserId) => {
      const page = await harness.engagement.comments(postId, viewer, { after: null, limit: 100 })
      return page.items.map(({ text }) => text)
    }

    test('counts a like once, however often it is given or taken back', async () => {
      const [author, ann, bob] = (await addUsers(3)) as [UserId, UserId, UserId]
      const post = await write(author)
      const { engagement } = harness
      await engagement.unlike(ann, post)
      expect(await seen(post, ann)).toEqual({ likes: 0, comments: 0, liked: false })
      await engagement.like(ann, post)
      await engagement.like(ann, post)
      expect(await seen(post, ann)).toEqual({ likes: 1, comments: 0, liked: true })
      expect(await seen(post, bob)).toEqual({ likes: 1, comments: 0, liked: false })
      await engagement.like(bob, post)
      await engagement.like(author, post)
      expect(await seen(post, author)).toEqual({ likes: 3, comments: 0, liked: true })
      await engagement.unlike(ann, post)
      await engagement.unlike(ann, post)
      expect(await seen(post, ann)).toEqual({ likes: 2, comments: 0, liked: false })
    })

    test('counts the likes of fifty people at the same time', async () => {
      const [author, ...fans] = (await addUsers(51)) as [UserId, ...UserId[]]
      const post = await write(author)
      await Promise.all(fans.map((fan) => harness.engagement.like(fan, post)))
      expect((await seen(post, author)).likes).toBe(50)
      await Promise.all(fans.slice(0, 20).map((fan) => harness.engagement.unlike(fan, post)))
      expect((await seen(post, author)).likes).toBe(30)
    })

    test('keeps counts right while one person likes and unlikes at the same time', async () => {
      const [author, ann] = (await addUsers(2)) as [UserId, UserId]
      const post = await write(author)
      for (let round = 0; round < 5; round++) {
        await Promise.all(
          Array.from({ length: 8 }, (_, n) =>
            n % 2 === round % 2
              ? harness.engagement.like(ann, post)
              : harness.engagement.unlike(ann, post),
          ),
        )
        const { likes, liked } = await seen(post, ann)
        expect(likes).toBe(liked ? 1 : 0)
      }
    })

    test('leaves nothing behind where a post goes while people like it and comment', async () => {
      const [author, ...fans] = (await addUsers(6)) as [UserId, ...UserId[]]
      for (let round = 0; round < 8; round++) {
        const post = await write(author)
        await harness.engagement.like(fans[0]!, post)
        const codes = await Promise.all([
          ...fans.map((fan) => codeOf(harness.engagement.like(fan, post))),
          codeOf(harness.posts.delete(post, author)),
          codeOf(harness.engagement.unlike(fans[0]!, post)),
          ...fans.map((fan) => codeOf(say(fan, post))),
        ])
        expect(codes[fans.length]).toBe('none')
        for (const code of codes) expect(['none', 'not_found']).toContain(code)
      }
      expect(await harness.inconsistencies()).toEqual([])
    })

    test('leaves nothing behind where accounts go while they like and comment', async () => {
      for (let round = 0; round < 5; round++) {
        const [author, other, ann] = (await addUsers(3)) as [UserId, UserId, UserId]
        const [post, kept] = [await write(author), await write(other)]
        const comment = await say(ann, kept)
        const codes = await Promise.all([
          codeOf(harness.engagement.like(ann, post)),
          codeOf(harness.engagement.like(ann, kept)),
          codeOf(harness.users.delete(ann)),
          codeOf(say(ann, kept)),
          codeOf(harness.engagement.deleteComment(comment.id, ann)),
          codeOf(say(other, post)),
          codeOf(harness.users.delete(author)),
          codeOf(harness.engagement.unlike(ann, kept)),
          codeOf(harness.engagement.like(other, post)),
        ])
        for (const code of codes) expect(['none', 'not_found', 'unauthenticated']).toContain(code)
        expect(await seen(kept, other)).toEqual({ likes: 0, comments: 0, liked: false })
      }
      expect(await harness.inconsistencies()).toEqual([])
    })

    test('takes likes and comments of an account with it', async () => {
      const [author, ann, bob] = (await addUsers(3)) as [UserId, UserId, UserId]
      const post = await write(author)
      for (const each of [ann, bob]) {
        await harness.engagement.like(each, post)
        await say(each, post, `${each}`)
      }
      await harness.users.delete(ann)
      expect(await seen(post, bob)).toEqual({ likes: 1, comments: 1, liked: true })
      expect(await listed(post, author)).toEqual([`${bob}`])
    })

    test('knows no post that is absent or hidden, and lets only accounts engage', async () => {
      const [author, ann, gone] = (await addUsers(3)) as [UserId, UserId, UserId]
      const post = await write(author)
      const page = { after: null, limit: 10 }
      const attempts = (user: UserId, id: PostId): Promise<readonly string[]> =>
        Promise.all([
          codeOf(harness.engagement.like(user, id)),
          codeOf(harness.engagement.unlike(user, id)),
          codeOf(say(user, id)),
          codeOf(harness.engagement.comments(id, user, page)),
        ])
      const hidden = ['not_found', 'not_found', 'not_found', 'not_found']
      expect(await attempts(ann, harness.ids.next<'post'>())).toEqual(hidden)
      await harness.graph.block(author, ann)
      expect(await attempts(ann, post)).toEqual(hidden)
      await harness.graph.unblock(author, ann)
      await harness.graph.block(ann, author)
      expect(await attempts(ann, post)).toEqual(hidden)
      await harness.users.delete(gone)
      const codes = await attempts(gone, post)
      expect([codes[0], codes[2]]).toEqual(['unauthenticated', 'unauthenticated'])
      expect(await seen(post, author)).toEqual({ likes: 0, comments: 0, liked: false })
    })

    test('lets a like and a comment be taken back across a block, whoever blocks', async () => {
      for (const by of ['author', 'fan'] as const) {
        const [author, fan, other] = (await addUsers(3)) as [UserId, UserId, UserId]
        const post = await write(author)
        await harness.engagement.like(fan, post)
        const comment = await say(fan, post)
        await (by === 'author'
          ? harness.graph.block(author, fan)
          : harness.graph.block(fan, author))
        expect(await seen(post, other)).toEqual({ likes: 1, comments: 1, liked: false })
        expect(await codeOf(harness.engagement.like(fan, post))).toBe('not_found')
        expect(await codeOf(harness.engagement.unlike(fan, post))).toBe('none')
        expect(await codeOf(harness.engagement.deleteComment(comment.id, fan))).toBe('none')
        expect(await seen(post, other)).toEqual({ likes: 0, comments: 0, liked: false })
        expect(await codeOf(harness.engagement.unlike(fan, post))).toBe('not_found')
        expect(await codeOf(harness.engagement.deleteComment(comment.id, fan))).toBe('not_found')
      }
    })

    test('pages through comments, oldest first, to the true end', async () => {
      const [author, ann] = (await addUsers(2)) as [UserId, UserId]
      const post = await write(author)
      const ids: CommentId[] = []
      for (let n = 0; n < 5; n++) ids.push((await say(n % 2 ? ann : author, post, `${n}`)).id)
      const read = async (after: CommentId | null, limit: number) => {
        const { items, next } = await harness.engagement.comments(post, author, { after, limit })
        return [items.map(({ id }) => id), next]
      }
      expect(await read(null, 3)).toEqual([ids.slice(0, 3), ids[2]!])
      expect(await read(ids[2]!, 2)).toEqual([ids.slice(3), null])
      expect(await read(null, 5)).toEqual([ids, null])
      expect(await read(ids[4]!, 5)).toEqual([[], null])
      expect((await seen(post, author)).comments).toBe(5)
    })

    test.each(Object.entries(awkwardTexts))('keeps a comment with %s', async (_, text) => {
      const author = await harness.addUser()
      const post = await write(author.id)
      const comment = await say(author.id, post, text)
      expect(comment).toEqual({
        id: comment.id,
        postId: post,
        author: { id: author.id, username: author.username, displayName: author.displayName },
        text,
        createdAt: idTime(comment.id),
      })
      const page = { after: null, limit: 10 }
      expect(await harness.engagement.comments(post, author.id, page)).toEqual({
        items: [comment],
        next: null,
      })
    })

    test('takes the next id where a comment’s is taken, exact up to the largest', async () => {
      const author = await addUser()
      const post = await write(author)
      const comment = {
        id: (2 ** 53 - 2) as CommentId,
        postId: post,
        authorId: author,
        text: 'one',
        idempotencyKey: null,
      }
      expect((await harness.engagement.comment(comment)).comment.id).toBe(comment.id)
      const second = await harness.engagement.comment({ ...comment, text: 'two' })
      expect(second.comment.id as number).toBe(2 ** 53 - 1)
      expect(await listed(post, author)).toEqual(['one', 'two'])
      await harness.posts.delete(post, author)
    })

    test('leaves out the comments of people hidden from the viewer', async () => {
      const [author, ann, bob, eve] = (await addUsers(4)) as [UserId, UserId, UserId, UserId]
      const post = await write(author)
      for (const [user, text] of [
        [ann, 'ann'],
        [bob, 'bob'],
        [eve, 'eve'],
      ] as const) {
        await say(user, post, text)
      }
      await harness.graph.block(ann, bob)
      await harness.graph.mute(ann, eve)
      expect(await listed(post, ann)).toEqual(['ann', 'eve'])
      expect(await listed(post, bob)).toEqual(['bob', 'eve'])
      expect(await listed(post, author)).toEqual(['ann', 'bob', 'eve'])
      const page = await harness.engagement.comments(post, ann, { after: null, limit: 1 })
      expect(page.items.map(({ text }) => text)).toEqual(['ann'])
      const rest = await harness.engagement.comments(post, ann, { after: page.next, limit: 1 })
      expect([rest.items.map(({ text }) => text), rest.next]).toEqual([['eve'], null])
    })

    test('lets only its author take a comment back, also across a block', async () => {
      const [author, ann, bob, eve] = (await addUsers(4)) as [UserId, UserId, UserId, UserId]
      const post = await write(author)
      const { id } = await say(ann, post)
      const remove = (by: UserId) => codeOf(harness.engagement.deleteComment(id, by))
      await harness.graph.block(ann, bob)
      await harness.graph.block(eve, author)
      expect(await remove(author)).toBe('forbidden')
      expect(await remove(bob)).toBe('not_found')
      expect(await remove(eve)).toBe('not_found')
      await harness.graph.block(author, ann)
      expect((await seen(post, author)).comments).toBe(1)
      expect(await remove(ann)).toBe('none')
      expect(await remove(ann)).toBe('not_found')
      expect((await seen(post, author)).comments).toBe(0)
      const raced = await say(author, post)
      const codes = await Promise.all(
        Array.from({ length: 6 }, () => codeOf(harness.engagement.deleteComment(raced.id, author))),
      )
      expect(codes.filter((code) => code === 'none')).toHaveLength(1)
      expect(codes.filter((code) => code === 'not_found')).toHaveLength(5)
      expect((await seen(post, author)).comments).toBe(0)
    })
  })
}
