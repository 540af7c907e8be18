import type { Page } from '@sns/shared/domain/page'

export interface Chunk<Item, Key> {
  /** Those that may be shown, each with its place in the list. */
  readonly found: readonly { readonly key: Key; readonly item: Item }[]
  /** The place of the last one looked at, shown or not; null where the list had no more. */
  readonly last: Key | null
}

/** How much more is read at once where much of what was read may not be shown. */
const GROWTH = 4

/**
 * Reads on until a page is full and one more item is found, or the list ends: so pages are never short
 * before the end, and `next` is null at the true end and only there.
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
    count = (limit + 1) * GROWTH
  }
  const shown = found.slice(0, limit)
  const next = found.length > limit ? (shown.at(-1)?.key ?? null) : null
  return { items: shown.map(({ item }) => item), next }
}
