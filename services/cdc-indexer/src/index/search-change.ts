import { type ChangeEvent, documentVersion, isChangeOf } from '@sns/shared/events/change-event'
import type { SearchChange } from '@sns/shared/ports/search-index'

/** Tables that the search index is made from. */
export const INDEXED_TABLES = ['posts', 'users'] as const
export type IndexedTable = (typeof INDEXED_TABLES)[number]

/**
 * What a change of a row means for the index. An update counts even where no indexed column changed:
 * it may be the only record of its row that compaction left, and an operator touches rows to bring them
 * into a new index.
 */
export function searchChange(event: ChangeEvent<IndexedTable>): SearchChange {
  const version = documentVersion(event)
  if (isChangeOf('posts', event)) {
    if (event.op === 'd') return { op: 'delete', version, kind: 'post', id: event.before.id }
    const { id, author_id: authorId, text, created_at: createdAt } = event.after
    return { op: 'index', version, document: { kind: 'post', id, authorId, text, createdAt } }
  }
  if (event.op === 'd') return { op: 'delete', version, kind: 'user', id: event.before.id }
  const { id, username, display_name: displayName } = event.after
  return { op: 'index', version, document: { kind: 'user', id, username, displayName } }
}
