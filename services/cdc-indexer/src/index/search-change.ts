import { type ChangeEvent, documentVersion, isChangeOf } from '@sns/shared/events/change-event'
import type { SearchChange, SearchKind } from '@sns/shared/ports/search-index'

/** Tables that the search index is made from. */
export const INDEXED_TABLES = ['posts', 'users'] as const
export type IndexedTable = (typeof INDEXED_TABLES)[number]

export function isIndexed(event: ChangeEvent): event is ChangeEvent<IndexedTable> {
  return INDEXED_TABLES.some((table) => isChangeOf(table, event))
}

/**
 * What a change of a row means for the index. An update counts even where no indexed column changed: it may be the
 * only record of its row that compaction left.
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

/** The document that a change is of. */
export function nameOf(change: SearchChange): { readonly kind: SearchKind; readonly id: number } {
  const { kind, id } = change.op === 'index' ? change.document : change
  return { kind, id }
}
