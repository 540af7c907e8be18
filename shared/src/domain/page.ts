/** A slice of a list. `next` is the key to go on after, or null at the true end and only there. */
export interface Page<Item, Key> {
  readonly items: readonly Item[]
  readonly next: Key | null
}

export const PAGE_LIMIT_DEFAULT = 20
export const PAGE_LIMIT_MAX = 100
