import { type CursorList, decodeCursor, encodeCursor } from '@sns/shared/domain/cursor'
import type { Id } from '@sns/shared/domain/id'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { SearchKey } from '@sns/shared/ports/search-index'

/** The id in a cursor, or null without one. Throws `invalid_cursor`. */
export function readIdCursor<Kind extends string>(
  list: CursorList,
  cursor: string | undefined,
): Id<Kind> | null {
  if (cursor === undefined) return null
  const [id, ...rest] = decodeCursor(list, cursor) ?? []
  if (!isId<Kind>(id) || rest.length > 0) throw invalidCursor()
  return id
}

export function writeIdCursor(list: CursorList, id: number | null): string | null {
  return id === null ? null : encodeCursor(list, [id])
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

function isId<Kind extends string>(value: unknown): value is Id<Kind> {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function invalidCursor(): SnsError {
  return new SnsError('invalid_cursor', {
    detail: 'Give back the nextCursor of this list, or none to start at its beginning',
    fields: [{ field: 'query.cursor', message: 'is not a cursor of this list' }],
  })
}
