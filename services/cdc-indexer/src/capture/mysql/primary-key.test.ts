import { expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { CapturedTable } from '@sns/shared/events/tables'
import { assertPrimaryKey } from './primary-key'

test.each<[CapturedTable, readonly string[]]>([
  ['posts', ['id']],
  ['likes', ['user_id', 'post_id']],
  ['likes', ['post_id', 'user_id']],
])('%s keyed by %p', (table, key) => {
  expect(() => assertPrimaryKey(table, key, 'go on')).not.toThrow()
})

test.each<[CapturedTable, readonly string[], string]>([
  ['posts', [], 'the primary key of posts is gone, and its records are kept by (id)'],
  ['posts', ['author_id', 'id'], 'is (author_id, id)'],
  ['posts', ['author_id'], 'is (author_id)'],
  ['likes', ['user_id'], 'kept by (user_id, post_id)'],
])('%s keyed by %p is refused', (table, key, words) => {
  const attempt = () => assertPrimaryKey(table, key, 'go on')
  expect(attempt).toThrow(OperatorError)
  expect(attempt).toThrow(words)
})
