import type { SearchDocument, SearchIndex, SearchKind } from '@sns/shared/ports/search-index'
import type { SearchSource } from '@sns/shared/ports/search-source'

export interface SearchVerifyDeps {
  readonly source: SearchSource
  readonly search: Pick<SearchIndex, 'differing' | 'ids'>
  /** The wait before what differs is looked at again: it may be on its way. */
  readonly wait: () => Promise<void>
}

/** Something that table and index do not agree on. */
export interface Drift {
  readonly kind: SearchKind
  readonly id: number
  /** `missing`: the index lacks it or has it otherwise. `extra`: it is in the index and in no table. */
  readonly what: 'missing' | 'extra'
}

/** What a page brought. */
export interface SearchReport {
  readonly rows: number
  readonly documents: number
  readonly drift: readonly Drift[]
  /** How many rows are compared in all, about. */
  readonly of: number
}

const KINDS = ['user', 'post'] as const
const PAGE = 1_000
/** A sample is so many neighbours at each of several places. */
const NEIGHBOURS = 100
/** An index trails by a second; what differs after so many looks is not on its way. */
const LOOKS = 6

/** Compares every row with its document and every document with its row; yields after each page. */
export async function* verifyAll(deps: SearchVerifyDeps): AsyncGenerator<SearchReport> {
  const counts = await Promise.all(KINDS.map(deps.source.span))
  const of = counts.reduce((sum, { count }) => sum + count, 0)
  for (const kind of KINDS) {
    for (let after = 0, isEnd = false; !isEnd; ) {
      const page = await comparePage(deps, kind, { after, limit: PAGE })
      yield { ...page, of }
      after = page.last
      isEnd = page.isEnd
    }
  }
}

/** The same for about `count` rows of each kind, at places taken at random from the ids in use. */
export async function* verifySample(
  deps: SearchVerifyDeps,
  count: number,
): AsyncGenerator<SearchReport> {
  const limit = Math.min(NEIGHBOURS, count)
  const places = Math.ceil(count / NEIGHBOURS)
  const of = KINDS.length * places * limit
  for (const kind of KINDS) {
    const { first, last, count: all } = await deps.source.span(kind)
    for (let n = 0; n < (all === 0 ? 0 : places); n += 1) {
      const after = first - 1 + Math.floor(Math.random() * (last - first + 1))
      yield { ...(await comparePage(deps, kind, { after, limit })), of }
    }
  }
}

interface Page {
  /** Ids above it. */
  readonly after: number
  readonly limit: number
}

/** One page of rows, and the documents of the same span of ids. */
async function comparePage(
  { source, search, wait }: SearchVerifyDeps,
  kind: SearchKind,
  { after, limit }: Page,
): Promise<Omit<SearchReport, 'of'> & { readonly last: number; readonly isEnd: boolean }> {
  const rows = await source.documents(kind, after, limit)
  const rowsEnd = rows.length < limit
  // Where rows end, documents may go on.
  const to = rowsEnd ? Number.MAX_SAFE_INTEGER : (rows.at(-1)?.id ?? after)
  const ids = await idsUpTo(search, kind, { after, to })
  let missing: readonly SearchDocument[] = await search.differing(rows)
  const known = new Set<number>(rows.map(({ id }) => id))
  let extra: readonly number[] = ids.filter((id) => !known.has(id))
  for (let look = 1; look < LOOKS && missing.length + extra.length > 0; look += 1) {
    await wait()
    missing = await search.differing(await unchanged(source, kind, missing))
    extra = await stillExtra({ source, search }, kind, extra)
  }
  return {
    rows: rows.length,
    documents: ids.length,
    drift: [
      ...missing.map(({ id }) => ({ kind, id, what: 'missing' as const })),
      ...extra.map((id) => ({ kind, id, what: 'extra' as const })),
    ],
    last: to,
    isEnd: rowsEnd,
  }
}

/**
 * Those whose rows are as they were. A row that changed has a change in the log that brings all of it, whatever the
 * index lacked before; and one that is written several times a second never is what the index has yet.
 */
async function unchanged(
  source: Pick<SearchSource, 'find'>,
  kind: SearchKind,
  documents: readonly SearchDocument[],
): Promise<readonly SearchDocument[]> {
  const before = new Map<number, SearchDocument>(documents.map((each) => [each.id, each]))
  const now = await source.find(kind, [...before.keys()])
  return now.filter((each) => Bun.deepEquals(each, before.get(each.id)))
}

async function idsUpTo(
  search: Pick<SearchIndex, 'ids'>,
  kind: SearchKind,
  { after, to }: { readonly after: number; readonly to: number },
): Promise<readonly number[]> {
  const found: number[] = []
  for (let from = after; ; ) {
    const ids = await search.ids(kind, from, PAGE)
    found.push(...ids.filter((id) => id <= to))
    from = ids.at(-1) ?? to
    if (ids.length < PAGE || from >= to) return found
  }
}

async function stillExtra(
  { source, search }: Pick<SearchVerifyDeps, 'source' | 'search'>,
  kind: SearchKind,
  ids: readonly number[],
): Promise<readonly number[]> {
  const rows = new Set<number>((await source.find(kind, ids)).map(({ id }) => id))
  const extra: number[] = []
  for (const id of ids) {
    const [found] = await search.ids(kind, id - 1, 1)
    if (found === id && !rows.has(id)) extra.push(id)
  }
  return extra
}
