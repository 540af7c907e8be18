import { expect, test } from 'bun:test'
import type { CapturedTable } from '@sns/shared/events/tables'
import { primaryKeyProblem } from './primary-key'

test.each<[CapturedTable, readonly string[]]>([
  ['posts', ['id']],
  ['likes', ['user_id', 'post_id']],
  ['likes', ['post_id', 'user_id']],
])('%s keyed by %p', (table, key) => {
  expect(primaryKeyProblem(table, key)).toBeNull()
})

test.each<[CapturedTable, readonly string[], string]>([
  ['posts', [], 'the primary key of posts is gone, and its records are kept by (id)'],
  ['posts', ['author_id', 'id'], 'is (author_id, id)'],
  ['posts', ['author_id'], 'is (author_id)'],
  ['likes', ['user_id'], 'kept by (user_id, post_id)'],
])('%s keyed by %p is refused', (table, key, words) => {
  expect(primaryKeyProblem(table, key)).toContain(words)
})
