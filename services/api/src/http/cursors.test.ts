import { expect, test } from 'bun:test'
import type { UserId } from '@sns/shared/domain/id'
import { isSnsError } from '@sns/shared/errors/sns-error'
import {
  type CursorList,
  readIdCursor,
  readRelationshipCursor,
  readSearchCursor,
  writeIdCursor,
  writeRelationshipCursor,
  writeSearchCursor,
} from './cursors'

/** Every list with its way to write and to read a cursor. */
const LISTS: Readonly<
  Record<CursorList, { write(): string | null; read(cursor: string): unknown; key: unknown }>
> = {
  posts: byId('posts'),
  feed: byId('feed'),
  follows: byId('follows'),
  comments: byId('comments'),
  sessions: byId('sessions'),
  blocks: byTie('blocks'),
  mutes: byTie('mutes'),
  search: byScore('search'),
  users: byScore('users'),
}

function byId(list: CursorList) {
  return {
    write: () => writeIdCursor(list, 4096),
    read: (cursor: string) => readIdCursor(list, cursor),
    key: 4096,
  }
}

function byTie(list: 'blocks' | 'mutes') {
  const key = { at: 5, user: 4096 as UserId }
  return {
    write: () => writeRelationshipCursor(list, key),
    read: (cursor: string) => readRelationshipCursor(list, cursor),
    key,
  }
}

function byScore(list: 'search' | 'users') {
  const key = { score: 5, id: 4096 }
  return {
    write: () => writeSearchCursor(list, key),
    read: (cursor: string) => readSearchCursor(list, cursor),
    key,
  }
}

test.each(Object.entries(LISTS))(
  'a cursor of %s is read back, and by no other list',
  (name, own) => {
    const cursor = own.write() ?? ''
    expect(own.read(cursor)).toEqual(own.key)
    for (const [other, { read }] of Object.entries(LISTS)) {
      if (other === name) continue
      expect(
        codeOf(() => read(cursor)),
        `${name} in ${other}`,
      ).toBe('invalid_cursor')
    }
  },
)

test.each(Object.entries(LISTS))(
  '%s takes no key that it could not have given out',
  (name, own) => {
    for (const key of ['', '"x"', '1e400,1', '-1e400,1', '1,1e400', '1,-1', '1,0', '1,1,1', '0']) {
      const text = key === '' ? `["${name}"]` : `["${name}",${key}]`
      const cursor = Buffer.from(text).toString('base64url')
      expect(
        codeOf(() => own.read(cursor)),
        text,
      ).toBe('invalid_cursor')
    }
  },
)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isSnsError(error)) return error.code
    throw error
  }
  return 'accepted'
}
