/** A slice of a list. `next` is the key to go on after, or null at the true end and only there. */
export interface Page<Item, Key> {
  readonly items: readonly Item[]
  readonly next: Key | null
}

export const PAGE_LIMIT_DEFAULT = 20
export const PAGE_LIMIT_MAX = 100

/** A page of rows that were asked for with one more than `limit`: that one says that the list goes on. */
export function pageOf<Row, Item, Key>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => Key,
  toItem: (row: Row) => Item,
): Page<Item, Key> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last !== undefined ? keyOf(last) : null
  return { items: shown.map((row) => toItem(row)), next }
}
