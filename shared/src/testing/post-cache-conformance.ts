import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import type { PostBody } from '../domain/post'
import type { PostCache } from '../ports/post-cache'

export interface PostCacheHarness extends AsyncDisposable {
  readonly cache: PostCache
}

/** What every `PostCache` promises. Each test gets an empty cache. */
export function postCacheConformance(create: () => Promise<PostCacheHarness>): void {
  describe('PostCache', () => {
    test('gives back what was put, whole', async () => {
      await using harness = await create()
      const bodies = [
        post(1),
        post(2, { editedAt: 1_767_225_600_001, version: 7 }),
        post(2 ** 53 - 1, { text: '한국어 "인용" \u{1F600}\n\t\u202Ertl', version: 2 ** 31 }),
      ]
      await harness.cache.putMany(bodies)
      const found = await harness.cache.getMany(bodies.map((body) => body.id))
      expect([...found.values()].sort((a, b) => a.id - b.id)).toEqual(bodies)
      for (const body of bodies) expect(found.get(body.id)).toEqual(body)
    })

    test('leaves out what it does not hold', async () => {
      await using harness = await create()
      await harness.cache.putMany([post(5)])
      const found = await harness.cache.getMany([post(4).id, post(5).id, post(6).id])
      expect([...found.keys()]).toEqual([post(5).id])
    })

    test('takes and asks for nothing', async () => {
      await using harness = await create()
      await harness.cache.putMany([])
      expect(await harness.cache.getMany([])).toEqual(new Map())
      expect(await harness.cache.getMany([post(1).id])).toEqual(new Map())
    })

    test('holds the body that was put last, of whatever version', async () => {
      await using harness = await create()
      await harness.cache.putMany([post(9, { version: 1, text: 'first' })])
      await harness.cache.putMany([post(9, { version: 2, text: 'second' })])
      expect((await harness.cache.getMany([post(9).id])).get(post(9).id)?.text).toBe('second')
      await harness.cache.putMany([post(9, { version: 1, text: 'first' })])
      expect((await harness.cache.getMany([post(9).id])).get(post(9).id)?.version).toBe(1)
    })
  })
}

export function post(id: number, changes: Partial<PostBody> = {}): PostBody {
  return {
    id: id as PostId,
    authorId: 77 as UserId,
    version: 1,
    text: `post ${id}`,
    createdAt: 1_767_225_600_000,
    editedAt: null,
    ...changes,
  }
}
