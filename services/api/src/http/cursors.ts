import type { Id, PostId, UserId } from '@sns/shared/domain/id'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { RelationshipKey } from '@sns/shared/ports/graph-store'
import type { NotificationKey } from '@sns/shared/ports/notification-store'
import type { SearchKey } from '@sns/shared/ports/search-index'
import { CURSOR_PATTERN } from './fields'

/**
 * Cursors are opaque to clients: base64url of a JSON array whose first element names the list, so
 * that a cursor of one list is refused by another. They hold keys, never offsets, and never expire.
 */
export type CursorList =
  | 'posts'
  | 'feed'
  | 'follows'
  | 'blocks'
  | 'mutes'
  | 'comments'
  | 'likers'
  | 'liked'
  | 'tags'
  | 'notifications'
  | 'events'
  | 'sessions'
  | 'search'
  | 'users'

const CURSOR = new RegExp(CURSOR_PATTERN)

/** The id in a cursor, or null without one. Throws `invalid_cursor`. */
export function readIdCursor<Kind extends string>(
  list: CursorList,
  cursor: string | undefined,
): Id<Kind> | null {
  if (cursor === undefined) return null
  const id = parseIdCursor<Kind>(list, cursor)
  if (id === null) throw invalidCursor()
  return id
}

/** The id in a cursor of `list`, or null if the text is not such a cursor. */
export function parseIdCursor<Kind extends string>(
  list: CursorList,
  cursor: string,
): Id<Kind> | null {
  const [id, ...rest] = decodeCursor(list, cursor) ?? []
  return isId<Kind>(id) && rest.length === 0 ? id : null
}

export function writeIdCursor(list: CursorList, id: number | null): string | null {
  return id === null ? null : encodeCursor(list, [id])
}

/** The place in a list of blocks, mutes or likes in a cursor, or null without one. Throws `invalid_cursor`. */
export function readRelationshipCursor(
  list: 'blocks' | 'mutes' | 'likers',
  cursor: string | undefined,
): RelationshipKey | null {
  if (cursor === undefined) return null
  const [at, user, ...rest] = decodeCursor(list, cursor) ?? []
  if (!isTime(at) || !isId<'user'>(user) || rest.length > 0) throw invalidCursor()
  return { at, user }
}

export function writeRelationshipCursor(
  list: 'blocks' | 'mutes' | 'likers',
  key: RelationshipKey | null,
): string | null {
  return key === null ? null : encodeCursor(list, [key.at, key.user])
}

/** The place in the order of hits in a cursor, or null without one. Throws `invalid_cursor`. */
export function readSearchCursor(
  list: 'search' | 'users',
  cursor: string | undefined,
): SearchKey | null {
  if (cursor === undefined) return null
  const [score, id, ...rest] = decodeCursor(list, cursor) ?? []
  if (typeof score !== 'number' || !Number.isFinite(score) || !isId(id) || rest.length > 0) {
    throw invalidCursor()
  }
  return { score, id }
}

export function writeSearchCursor(list: 'search' | 'users', key: SearchKey | null): string | null {
  return key === null ? null : encodeCursor(list, [key.score, key.id])
}

/** The place in the list of notifications in a cursor or an id of one, or null. */
export function parseNotificationKey(cursor: string): NotificationKey | null {
  const [noticedAt, kind, actor, subject, ...rest] = decodeCursor('notifications', cursor) ?? []
  const isKey =
    isTime(noticedAt) && isTime(kind) && isId<'user'>(actor) && isTime(subject) && rest.length === 0
  return isKey ? { noticedAt, kind, actor, subject } : null
}

/** The place in the list of notifications in a cursor, or null without one. Throws `invalid_cursor`. */
export function readNotificationCursor(cursor: string | undefined): NotificationKey | null {
  if (cursor === undefined) return null
  const key = parseNotificationKey(cursor)
  if (key === null) throw invalidCursor()
  return key
}

export function writeNotificationKey(key: NotificationKey): string {
  return encodeCursor('notifications', [key.noticedAt, key.kind, key.actor, key.subject])
}

/** Up to where a client was told of events, in the id of one. */
export function writeEventId(place: {
  readonly post: number
  readonly notification: NotificationKey
}): string {
  const { noticedAt, kind, actor, subject } = place.notification
  return encodeCursor('events', [place.post, noticedAt, kind, actor, subject])
}

/** Null if the text is not the id of an event. */
export function readEventId(id: string) {
  const [post, noticedAt, kind, actor, subject, ...rest] = decodeCursor('events', id) ?? []
  const isPlace =
    isTime(post) && isTime(noticedAt) && isTime(kind) && isTime(actor) && isTime(subject)
  if (!isPlace || rest.length > 0) return null
  const notification: NotificationKey = { noticedAt, kind, actor: actor as UserId, subject }
  return { post: post as PostId, notification }
}

function encodeCursor(list: CursorList, key: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url')
}

/** The key in a cursor of `list`, or null if the text is not such a cursor. */
function decodeCursor(list: CursorList, cursor: string): (number | string)[] | null {
  if (!CURSOR.test(cursor)) return null
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(parsed) || parsed[0] !== list) return null
    const key = parsed.slice(1)
    return key.every((part) => typeof part === 'number' || typeof part === 'string') ? key : null
  } catch {
    return null
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isId<Kind extends string>(value: unknown): value is Id<Kind> {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function invalidCursor(): SnsError {
  return new SnsError('invalid_cursor', {
    detail: 'Give back the nextCursor of this list, or none to start at its beginning',
    fields: [{ field: 'query.cursor', message: 'is not a cursor of this list' }],
  })
}
