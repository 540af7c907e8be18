import type { SearchDocument, SearchKind } from './search-index'

/**
 * What the search index is made from, as the tables have it now. Errors of every call: `store_unavailable`.
 */
export interface SearchSource {
  /** Documents with ids above `after`, ascending, at most `limit`; fewer only at the end. */
  documents(kind: SearchKind, after: number, limit: number): Promise<readonly SearchDocument[]>
  /** Those of `ids` that are there, in no order. */
  find(kind: SearchKind, ids: readonly number[]): Promise<readonly SearchDocument[]>
  /** How many there are, and the lowest and the highest id; 0 where there is none. */
  span(kind: SearchKind): Promise<{
    readonly count: number
    readonly first: number
    readonly last: number
  }>
}
