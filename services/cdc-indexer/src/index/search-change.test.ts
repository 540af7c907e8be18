import { describe, expect, test } from 'bun:test'
import { documentVersion } from '@sns/shared/events/change-event'
import { searchChange } from './search-change'
import { change, postRow, userRow } from './testing/index-fakes'

describe('a search change', () => {
  test('of a row that came, changed or was found is the row', () => {
    for (const op of ['c', 'r', 'u'] as const) {
      const event = change('posts', 7, { op, after: postRow(1, 'text') })
      expect(searchChange(event)).toEqual({
        op: 'index',
        version: documentVersion(event),
        document: { kind: 'post', id: 1, authorId: 9, text: 'text', createdAt: 1_000 },
      } as never)
    }
    const event = change('users', 7, { op: 'c', after: userRow(2, 'Ann', 'Ann Lee') })
    expect(searchChange(event)).toMatchObject({
      document: { kind: 'user', id: 2, username: 'Ann', displayName: 'Ann Lee' },
    } as never)
  })

  test('of a row that went is a delete', () => {
    const post = change('posts', 7, { op: 'd', before: postRow(1, 'text') })
    expect(searchChange(post)).toEqual({
      op: 'delete',
      kind: 'post',
      id: 1,
      version: documentVersion(post),
    })
    const user = change('users', 7, { op: 'd', before: userRow(2, 'ann', 'Ann') })
    expect(searchChange(user)).toMatchObject({ op: 'delete', kind: 'user', id: 2 })
  })

  test('is the whole document where nothing that the index holds has changed', () => {
    const before = { ...userRow(1, 'ann', 'Ann'), updated_at: 1 }
    expect(
      searchChange(change('users', 7, { op: 'u', before, after: { ...before, updated_at: 2 } })),
    ).toMatchObject({ op: 'index', document: { kind: 'user', id: 1, displayName: 'Ann' } })
  })
})
