/**
 * Cursors are opaque to clients: base64url of a JSON array whose first element names the list, so
 * that a cursor of one list is refused by another. They hold keys, never offsets, and never expire.
 */
export type CursorList = 'posts' | 'feed' | 'follows' | 'comments' | 'search' | 'users'

export function encodeCursor(list: CursorList, key: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url')
}

/** What every cursor looks like. */
export const CURSOR_PATTERN = '^[A-Za-z0-9_-]{1,400}$'

const CURSOR = new RegExp(CURSOR_PATTERN)

/** The key in a cursor of `list`, or null if the text is not such a cursor. */
export function decodeCursor(list: CursorList, cursor: string): (number | string)[] | null {
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
