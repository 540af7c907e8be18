import { documentVersion, type LogPlace } from '@sns/shared/events/change-event'
import type { SearchIndex, SearchKind } from '@sns/shared/ports/search-index'
import type { SearchSource } from '@sns/shared/ports/search-source'

export interface SweepDeps {
  readonly source: Pick<SearchSource, 'find'>
  readonly search: Pick<SearchIndex, 'apply' | 'ids' | 'refresh'>
  /** The last transaction of the database. */
  readonly head: () => Promise<LogPlace>
}

/** What a page brought. */
export interface SweepReport {
  readonly documents: number
  readonly removed: number
}

const PAGE = 1_000

/**
 * Removes the documents of a kind that have no row, page by page. A removal has the version of a transaction after
 * which the row was not there, so whatever was written later stays, whenever it arrives.
 */
export async function* sweep(
  { source, search, head }: SweepDeps,
  kind: SearchKind,
): AsyncGenerator<SweepReport> {
  await search.refresh()
  for (let after = 0; ; ) {
    const ids = await search.ids(kind, after, PAGE)
    const last = ids.at(-1)
    if (last === undefined) return
    // In this order: a row that is missing below was missing at the head or went after it.
    const place = await head()
    const rows = new Set<number>((await source.find(kind, ids)).map(({ id }) => id))
    const version = documentVersion({ source: place, transaction: null })
    const extra = ids.filter((id) => !rows.has(id))
    const changes = extra.map((id) => ({ op: 'delete' as const, version, kind, id }))
    const { applied } = changes.length > 0 ? await search.apply(changes) : { applied: 0 }
    yield { documents: ids.length, removed: applied }
    after = last
  }
}
