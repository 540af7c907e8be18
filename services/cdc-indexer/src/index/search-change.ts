import { type ChangeEvent, documentVersion, type Row } from '@sns/shared/contract/change-event'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { SearchChange, SearchDocument } from '@sns/shared/ports/search-index'

/** Tables that the search index is made from. */
export const INDEXED_TABLES = ['posts', 'users'] as const
export type IndexedTable = (typeof INDEXED_TABLES)[number]

/** A row that is not what its table promises: the index can never take it. */
export class UnreadableRowError extends Error {
  override readonly name = 'UnreadableRowError'
}

/**
 * What a change of a row means for the index; null where its table is not indexed. An update counts also
 * where no indexed column changed: compaction may have left it as all there is of its row, and touching
 * rows is how an operator brings them into an index built anew.
 */
export function searchChange(event: ChangeEvent): SearchChange | null {
  const { table } = event.source
  if (table !== 'posts' && table !== 'users') return null
  const version = documentVersion(event)
  if (event.op === 'd') {
    const kind = table === 'posts' ? 'post' : 'user'
    return { op: 'delete', version, kind, id: numberIn(imageOf(event.before, 'before'), 'id') }
  }
  const after = imageOf(event.after, 'after')
  return { op: 'index', version, document: documentOf(table, after) }
}

function documentOf(table: IndexedTable, row: Row): SearchDocument {
  if (table === 'posts') {
    return {
      kind: 'post',
      id: numberIn(row, 'id') as PostId,
      authorId: numberIn(row, 'author_id') as UserId,
      text: textIn(row, 'text'),
      createdAt: numberIn(row, 'created_at'),
    }
  }
  return {
    kind: 'user',
    id: numberIn(row, 'id') as UserId,
    username: textIn(row, 'username'),
    displayName: textIn(row, 'display_name'),
  }
}

function imageOf(row: Row | null, image: string): Row {
  if (row === null) throw new UnreadableRowError(`the change has no ${image} image`)
  return row
}

function numberIn(row: Row, column: string): number {
  const value = row[column]
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new UnreadableRowError(`${column} is not an exact number: ${JSON.stringify(value)}`)
}

function textIn(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new UnreadableRowError(`${column} is not a text: ${typeof value}`)
}
