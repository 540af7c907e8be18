import type { PostId, UserId } from '../domain/id'
import type { SearchQuery, UserQuery } from '../domain/search-query'

export type SearchDocument =
  | {
      readonly kind: 'post'
      readonly id: PostId
      readonly authorId: UserId
      readonly text: string
      /** Unix milliseconds. */
      readonly createdAt: number
    }
  | {
      readonly kind: 'user'
      readonly id: UserId
      readonly username: string
      readonly displayName: string
    }

export type SearchKind = SearchDocument['kind']

export type SearchChange =
  | { readonly op: 'index'; readonly version: bigint; readonly document: SearchDocument }
  | {
      readonly op: 'delete'
      readonly version: bigint
      readonly kind: SearchKind
      readonly id: number
    }

export interface ApplyResult {
  readonly applied: number
  /** The index held a newer version already: done, nothing to do. */
  readonly stale: number
  /** Refused for what they are; trying again would not help. */
  readonly rejected: readonly { readonly change: SearchChange; readonly reason: string }[]
}

export interface PostSearch {
  /** Finds nothing where it has nothing to look for. */
  readonly query: SearchQuery
  readonly authorId: UserId | null
  /** Posts created at or after, Unix milliseconds. */
  readonly since: number | null
  /** Posts created before, Unix milliseconds. */
  readonly until: number | null
  readonly excludeAuthors: readonly UserId[]
  readonly after: SearchKey | null
  readonly limit: number
}

export interface UserSearch {
  /** Finds nobody where it has nothing to look for. */
  readonly query: UserQuery
  readonly exclude: readonly UserId[]
  readonly after: SearchKey | null
  readonly limit: number
}

/** A place in the order: by score, best first, then newest id first. */
export interface SearchKey {
  readonly score: number
  readonly id: number
}

export interface PostHit extends SearchKey {
  readonly id: PostId
  /**
   * `textHash` of the text that was found, which trails what the post says now. Null where that need not be
   * known, as it was found by our terms alone, or is not known.
   */
  readonly textHash: number | null
}

/**
 * The full-text index: a projection of the log that may be lost and rebuilt from it.
 *
 * `apply` is idempotent and order-free: a change counts only if its version is not below what the
 * index holds for that document, deletes included. It returns when the changes are durable; they are
 * found by searches about a second later at most. Transient failures of single items are retried
 * inside, bounded; then `store_unavailable` is thrown and the caller applies the whole batch again. It is a
 * `StoreHalted` where nothing can be written until an operator acts; no document is at fault then.
 *
 * What matches is the same on every adapter: all words of a query, case and accents aside; quoted words
 * in order; a Korean word from two syllables on wherever it stands in a longer one. An adapter may
 * also find the forms of a word that `QueryPhrase.forms` allows, by a language's morphology; nothing
 * else, and never less.
 *
 * Errors: `store_unavailable`.
 */
export interface SearchIndex {
  apply(changes: readonly SearchChange[]): Promise<ApplyResult>
  searchPosts(search: PostSearch): Promise<readonly PostHit[]>
  /** Prefix of the username or words of the display name; username matches first. */
  searchUsers(search: UserSearch): Promise<readonly (SearchKey & { readonly id: UserId })[]>
  /** Those of `documents` that the index lacks or has otherwise, by all that was applied. */
  differing(documents: readonly SearchDocument[]): Promise<readonly SearchDocument[]>
  /** The ids of what can be found, above `after`, ascending, at most `limit`; fewer only at the end. */
  ids(kind: SearchKind, after: number, limit: number): Promise<readonly number[]>
  /** Makes everything applied so far findable now. */
  refresh(): Promise<void>
}
