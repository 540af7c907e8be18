import { expect, test } from 'bun:test'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { ViewedPost } from '@sns/shared/domain/post'
import { applyRules } from './rules'

const author = { id: 1 as UserId, username: 'a', displayName: 'A' }

function post(id: number): ViewedPost {
  return {
    body: {
      id: id as PostId,
      authorId: author.id,
      version: 1,
      text: '',
      createdAt: 0,
      editedAt: null,
    },
    state: {
      id: id as PostId,
      version: 1,
      author,
      counts: { likes: 0, comments: 0 },
      liked: false,
    },
  }
}

function shown(ids: number[], inTruth: number[], before: number | null = null): number[] {
  const hydrated = new Map(inTruth.map((id) => [id as PostId, post(id)]))
  return applyRules(ids as PostId[], hydrated, before as PostId | null).map(({ body }) => body.id)
}

test('shows what the truth names, in order', () => {
  expect(shown([9, 7, 5, 3], [3, 5, 9])).toEqual([9, 5, 3])
  expect(shown([], [1])).toEqual([])
})

test('shows nothing twice, out of order or above the cursor, whatever a cache says', () => {
  expect(shown([9, 9, 7, 7, 5], [9, 7, 5])).toEqual([9, 7, 5])
  expect(shown([9, 5, 7, 3], [9, 7, 5, 3])).toEqual([9, 5, 3])
  expect(shown([9, 8, 7], [9, 8, 7], 9)).toEqual([8, 7])
})
