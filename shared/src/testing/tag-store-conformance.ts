import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import type { TagStore } from '../ports/tag-store'

export interface TagStoreHarness extends AsyncDisposable {
  readonly tags: TagStore
}

const READER = 1 as UserId

const post = (id: number, ...tags: string[]) => ({ post: id as PostId, tags })

/** What every `TagStore` must do. */
export function tagStoreConformance(open: () => Promise<TagStoreHarness>): void {
  describe('TagStore', () => {
    test('lists the posts of a tag page by page, newest first', async () => {
      await using harness = await open()
      const { tags } = harness
      await tags.set([post(3, '말', 'bun'), post(1, '말'), post(2, 'bun', '말'), post(4)])
      const all = (tag: string) => tags.postIds(tag, READER, { before: null, limit: 10 })
      expect(await all('말')).toEqual([3, 2, 1] as PostId[])
      expect(await all('bun')).toEqual([3, 2] as PostId[])
      expect(await all('none')).toEqual([])
      expect(await tags.postIds('말', READER, { before: null, limit: 2 })).toEqual([
        3, 2,
      ] as PostId[])
      expect(await tags.postIds('말', READER, { before: 2 as PostId, limit: 2 })).toEqual([
        1,
      ] as PostId[])
    })

    test('sets what a post has anew, and may be repeated', async () => {
      await using harness = await open()
      const { tags } = harness
      await tags.set([])
      await tags.set([post(1, 'one', 'two')])
      for (let round = 0; round < 2; round += 1) {
        await tags.set([post(1, 'two', 'three'), post(2, 'two')])
      }
      const all = (tag: string) => tags.postIds(tag, READER, { before: null, limit: 10 })
      expect(await all('one')).toEqual([])
      expect(await all('two')).toEqual([2, 1] as PostId[])
      expect(await all('three')).toEqual([1] as PostId[])
      await tags.set([post(1), post(2)])
      expect(await all('two')).toEqual([])
    })

    test('tells tags apart by every letter and accent', async () => {
      await using harness = await open()
      const { tags } = harness
      await tags.set([post(1, 'cafe'), post(2, 'café'), post(3, '가'), post(4, '각')])
      for (const [id, tag] of [
        [1, 'cafe'],
        [2, 'café'],
        [3, '가'],
        [4, '각'],
      ] as const) {
        expect(await tags.postIds(tag, READER, { before: null, limit: 9 })).toEqual([id as PostId])
      }
    })
  })
}
