import type { Page } from '@sns/shared/domain/page'

export interface Chunk<Item, Key> {
  /** Items that may be shown, each with its key. */
  readonly found: readonly { readonly key: Key; readonly item: Item }[]
  /** The key of the last item read, shown or not; null at the end of the list. */
  readonly last: Key | null
}

/** How much more to read at once each time that what was read did not fill a page. */
const GROWTH = 4
/** Read at once at most. */
const MOST = 1_000

/** How many items to read after `count` of a list did not fill a page: the reads of a long run of hidden ones are few. */
export function nextCount(count: number): number {
  return Math.min(GROWTH * count, Math.max(MOST, count))
}

/**
 * Reads until the page is full and one more item is found, or the list ends. So a page is never
 * short before the end, and `next` is null only at the true end.
 */
export async function fillPage<Item, Key>(
  start: Key | null,
  limit: number,
  read: (after: Key | null, count: number) => Promise<Chunk<Item, Key>>,
): Promise<Page<Item, Key>> {
  const found: { readonly key: Key; readonly item: Item }[] = []
  let after = start
  let count = limit + 1
  while (found.length <= limit) {
    const chunk = await read(after, count)
    found.push(...chunk.found)
    if (chunk.last === null) break
    after = chunk.last
    count = nextCount(count)
  }
  const shown = found.slice(0, limit)
  const next = found.length > limit ? (shown.at(-1)?.key ?? null) : null
  return { items: shown.map(({ item }) => item), next }
}
