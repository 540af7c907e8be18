import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { idTime, type PostId, type UserId } from '../domain/id'
import { awkwardTexts } from './awkward-texts'
import { codeOf } from './error-code'
import type { CreatePostStoreHarness, PostStoreHarness } from './post-store-harness'

/** What every `PostStore` promises about writing and reading posts; feeds have theirs in feed-truth. */
export function postStoreConformance(create: CreatePostStoreHarness): void {
  describe('PostStore', () => {
    let harness: PostStoreHarness
    beforeAll(async () => {
      harness = await create()
    })
    afterAll(async () => {
      await using ended = harness
      expect(await ended.inconsistencies()).toEqual([])
    })

    const addUser = async () => (await harness.addUser()).id
    const write = async (authorId: UserId, text = 'hello') => {
      harness.clock.advance(1)
      const id = harness.ids.next<'post'>()
      return (await harness.posts.create({ id, authorId, text, idempotencyKey: null })).body
    }
    const writeKeyed = (authorId: UserId, idempotencyKey: string, text: string) =>
      harness.posts.create({ id: harness.ids.next<'post'>(), authorId, text, idempotencyKey })

    test('finds a post as it was written', async () => {
      const author = await harness.addUser()
      const reader = await addUser()
      const id = harness.ids.next<'post'>()
      const created = await harness.posts.create({
        id,
        authorId: author.id,
        text: 'first',
        idempotencyKey: null,
      })
      const body = {
        id,
        authorId: author.id,
        version: 1,
        text: 'first',
        createdAt: idTime(id),
        editedAt: null,
      }
      const published = {
        body,
        author: { id: author.id, username: author.username, displayName: author.displayName },
        counts: { likes: 0, comments: 0 },
      }
      const viewed = { ...published, liked: false }
      expect(created).toEqual({ body, created: true })
      expect(await harness.posts.find(id, reader)).toEqual(viewed)
      expect(await harness.posts.find(id, author.id)).toEqual(viewed)
      expect(await harness.posts.published([id])).toEqual([published])
      expect(await harness.posts.visible(reader, [id])).toEqual([viewed])
    })

    test.each(Object.entries(awkwardTexts))('keeps %s to the byte', async (_, text) => {
      const author = await addUser()
      const { id } = await write(author, text)
      expect((await harness.posts.find(id, author)).body.text).toBe(text)
      const edited = `${text}.${text.slice(0, 100)}`
      await harness.posts.edit(id, author, edited)
      expect((await harness.posts.published([id]))[0]?.body.text).toBe(edited)
    })

    test('keeps ids exact up to the largest', async () => {
      const author = await addUser()
      const ids = [2 ** 53 - 1, 2 ** 53 - 2, 2 ** 53 - 3] as PostId[]
      for (const id of ids) {
        await harness.posts.create({ id, authorId: author, text: `${id}`, idempotencyKey: null })
      }
      expect(await harness.posts.feedIds(author, { before: null, limit: 10 })).toEqual(ids)
      expect(await harness.posts.feedIds(author, { before: ids[0]!, limit: 1 })).toEqual([ids[1]!])
      for (const id of ids) expect((await harness.posts.find(id, author)).body.text).toBe(`${id}`)
      expect((await harness.posts.visible(author, ids)).map(({ body }) => body.id).sort()).toEqual(
        ids.toSorted(),
      )
      for (const id of ids) await harness.posts.delete(id, author)
    })

    test('takes the next id where the given one is taken', async () => {
      const author = await addUser()
      const { id } = await write(author, 'one')
      const post = { id, authorId: author, idempotencyKey: null }
      const second = await harness.posts.create({ ...post, text: 'two' })
      const third = await harness.posts.create({ ...post, text: 'three', idempotencyKey: 'k' })
      expect(new Set([id, second.body.id, third.body.id]).size).toBe(3)
      expect(second.body.id).toBeGreaterThan(id)
      expect(second.body.createdAt).toBe(idTime(second.body.id))
      expect((await harness.posts.find(id, author)).body.text).toBe('one')
      expect((await harness.posts.find(second.body.id, author)).body.text).toBe('two')
      expect((await harness.posts.find(third.body.id, author)).body.text).toBe('three')
    })

    test('lets only those with an account write', async () => {
      const author = await addUser()
      await harness.users.delete(author)
      expect(await codeOf(write(author))).toBe('unauthenticated')
      expect(await codeOf(writeKeyed(author, 'k', 'x'))).toBe('unauthenticated')
    })

    test('raises the version with each edit that changes something', async () => {
      const author = await addUser()
      const body = await write(author, 'a')
      harness.clock.advance(5_000)
      const edited = await harness.posts.edit(body.id, author, 'A')
      expect(edited).toEqual({ ...body, text: 'A', version: 2, editedAt: harness.clock.now() })
      harness.clock.advance(5_000)
      expect(await harness.posts.edit(body.id, author, 'A')).toEqual(edited)
      expect(await harness.posts.edit(body.id, author, 'A ')).toMatchObject({ version: 3 })
      const { body: found } = await harness.posts.find(body.id, author)
      expect(found).toMatchObject({ text: 'A ', version: 3, editedAt: harness.clock.now() })
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => harness.posts.edit(body.id, author, `edit ${n}`)),
      )
      expect((await harness.posts.find(body.id, author)).body.version).toBe(13)
    })

    test('lets only the author edit and delete', async () => {
      const [author, other, blocked] = [await addUser(), await addUser(), await addUser()]
      const { id } = await write(author)
      await harness.graph.block(author, blocked)
      for (const change of [
        (by: UserId) => harness.posts.edit(id, by, 'mine'),
        (by: UserId) => harness.posts.delete(id, by),
      ]) {
        expect(await codeOf(change(other))).toBe('forbidden')
        expect(await codeOf(change(blocked))).toBe('not_found')
      }
      const absent = harness.ids.next<'post'>()
      expect(await codeOf(harness.posts.edit(absent, author, 'x'))).toBe('not_found')
      expect(await codeOf(harness.posts.delete(absent, author))).toBe('not_found')
      expect((await harness.posts.find(id, author)).body).toMatchObject({
        text: 'hello',
        version: 1,
      })
    })

    test('deletes a post with all that hangs on it', async () => {
      const [author, reader] = [await addUser(), await addUser()]
      const { id } = await write(author)
      await harness.engagement.like(reader, id)
      await harness.engagement.comment({
        id: harness.ids.next<'comment'>(),
        postId: id,
        authorId: reader,
        text: 'c',
        idempotencyKey: null,
      })
      await harness.posts.delete(id, author)
      expect(await codeOf(harness.posts.find(id, author))).toBe('not_found')
      expect(await codeOf(harness.posts.delete(id, author))).toBe('not_found')
      expect(await codeOf(harness.posts.edit(id, author, 'x'))).toBe('not_found')
      expect(await harness.posts.published([id])).toEqual([])
      expect(await harness.posts.visible(author, [id])).toEqual([])
      expect(await harness.inconsistencies()).toEqual([])
    })

    test('pages through an author, newest first, to the true end', async () => {
      const [author, reader] = [await addUser(), await addUser()]
      const written = []
      for (let n = 0; n < 6; n++) written.unshift((await write(author, `${n}`)).id)
      const read = async (before: PostId | null, limit: number) => {
        const { items, next } = await harness.posts.byAuthor(author, reader, { before, limit })
        return [items.map(({ body }) => body.id), next]
      }
      expect(await read(null, 4)).toEqual([written.slice(0, 4), written[3]!])
      expect(await read(written[3]!, 2)).toEqual([written.slice(4), null])
      expect(await read(null, 6)).toEqual([written, null])
      expect(await read(written[5]!, 6)).toEqual([[], null])
      await harness.graph.mute(reader, author)
      expect(await read(null, 6)).toEqual([written, null])
      await harness.graph.block(author, reader)
      expect(await read(null, 6)).toEqual([[], null])
    })

    test('hides posts across a block, either way, and no other', async () => {
      const [author, reader] = [await addUser(), await addUser()]
      const { id } = await write(author)
      const seen = async () => [
        await codeOf(harness.posts.find(id, reader)),
        (await harness.posts.visible(reader, [id])).length,
      ]
      expect(await seen()).toEqual(['none', 1])
      await harness.graph.mute(reader, author)
      expect(await seen()).toEqual(['none', 1])
      await harness.graph.block(reader, author)
      expect(await seen()).toEqual(['not_found', 0])
      await harness.graph.unblock(reader, author)
      await harness.graph.block(author, reader)
      expect(await seen()).toEqual(['not_found', 0])
      await harness.graph.unblock(author, reader)
      expect(await seen()).toEqual(['none', 1])
    })

    test('says of each post what its viewer may see of it just now', async () => {
      const [author, ann, bob] = [await addUser(), await addUser(), await addUser()]
      const { id } = await write(author)
      await harness.graph.follow(ann, author)
      await harness.graph.follow(bob, author)
      await harness.engagement.like(ann, id)
      await harness.users.updateDisplayName(author, 'Renamed')
      const state = {
        body: { id },
        counts: { likes: 1, comments: 0 },
        author: { displayName: 'Renamed' },
      }
      expect((await harness.posts.visible(ann, [id]))[0]).toMatchObject({ ...state, liked: true })
      expect(await harness.posts.find(id, ann)).toMatchObject({ ...state, liked: true })
      expect((await harness.posts.visible(bob, [id]))[0]).toMatchObject({ ...state, liked: false })
    })

    test('leaves out ids that are not posts, and answers none with none', async () => {
      const author = await addUser()
      const { id } = await write(author)
      const asked = [harness.ids.next<'post'>(), id, id, harness.ids.next<'post'>()]
      expect((await harness.posts.published(asked)).map(({ body }) => body.id)).toEqual([id])
      expect((await harness.posts.visible(author, asked)).map(({ body }) => body.id)).toEqual([id])
      expect(await harness.posts.published([])).toEqual([])
      expect(await harness.posts.visible(author, [])).toEqual([])
    })

    test('leaves nothing of an account that is deleted while it writes', async () => {
      for (let round = 0; round < 5; round++) {
        const author = await addUser()
        const { id } = await write(author)
        await Promise.allSettled([
          ...Array.from({ length: 4 }, (_, n) => writeKeyed(author, `k${n}`, 'x')),
          harness.users.delete(author),
          harness.posts.edit(id, author, 'edited'),
          ...Array.from({ length: 4 }, () => write(author)),
        ])
      }
      expect(await harness.inconsistencies()).toEqual([])
    })
  })
}
