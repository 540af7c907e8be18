import { expect, test } from 'bun:test'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { isSnsError, SnsError } from '@sns/shared/errors/sns-error'
import {
  type CursorList,
  readEventId,
  readIdCursor,
  readNotificationCursor,
  readRelationshipCursor,
  readSearchCursor,
  writeEventId,
  writeIdCursor,
  writeNotificationKey,
  writeRelationshipCursor,
  writeSearchCursor,
} from './cursors'

const NOTIFICATION = { noticedAt: 5, kind: 0, actor: 4096 as UserId, subject: 0 }

/** Every list with its way to write and to read a cursor. */
const LISTS: Readonly<
  Record<CursorList, { write(): string | null; read(cursor: string): unknown; key: unknown }>
> = {
  posts: byId('posts'),
  feed: byId('feed'),
  follows: byId('follows'),
  comments: byId('comments'),
  sessions: byId('sessions'),
  liked: byId('liked'),
  tags: byId('tags'),
  blocks: byTie('blocks'),
  mutes: byTie('mutes'),
  likers: byTie('likers'),
  search: byScore('search'),
  users: byScore('users'),
  events: {
    write: () => writeEventId({ post: 4096, notification: NOTIFICATION }),
    read: (id: string) => {
      const place = readEventId(id)
      if (place === null) throw new SnsError('invalid_cursor')
      return place
    },
    key: { post: 4096 as PostId, notification: NOTIFICATION },
  },
  notifications: {
    write: () => writeNotificationKey(NOTIFICATION),
    read: readNotificationCursor,
    key: NOTIFICATION,
  },
}

function byId(list: CursorList) {
  return {
    write: () => writeIdCursor(list, 4096),
    read: (cursor: string) => readIdCursor(list, cursor),
    key: 4096,
  }
}

function byTie(list: 'blocks' | 'mutes' | 'likers') {
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
