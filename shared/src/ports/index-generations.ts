import type { SearchIndex } from './search-index'

/** One building of the search index, of which several may stand side by side. */
export interface IndexGeneration {
  /**
   * Tells it from every other, also of the same name. Consumers keep their place in the change log by it, so that a
   * generation and what was read for it are never parted: a new one is filled from the beginning.
   */
  readonly id: string
  /** Reads and writes this generation, whatever its role. */
  readonly search: SearchIndex
}

/** The generation that searches read. */
export interface CurrentIndex {
  /**
   * Makes an empty one where it was lost. Errors: `store_unavailable`; an `OperatorError` where it cannot be made until
   * an operator acts.
   */
  current(): Promise<IndexGeneration>
}

/** `next` is being built; `previous` was current before, and can be again. */
export type SpareRole = 'next' | 'previous'

/** The generations and their roles. Errors of every call: `store_unavailable`. */
export interface IndexGenerations extends CurrentIndex {
  /** Null where none has the role. */
  spare(role: SpareRole): Promise<IndexGeneration | null>
  /** Makes the next one, empty, unless it is there. */
  prepare(): Promise<IndexGeneration>
  /**
   * In one step: the one with the role is read from now on, and the one that was read is the previous one; the
   * previous one of before is deleted.
   */
  promote(role: SpareRole): Promise<void>
  /** Deletes the one with the role; false where there was none. */
  drop(role: SpareRole): Promise<boolean>
}
