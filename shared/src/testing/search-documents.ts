import { firstIdAt, type PostId, type UserId } from '../domain/id'
import { parseSearchQuery, parseUserQuery } from '../domain/search-query'
import type { PostSearch, SearchChange, SearchIndex, UserSearch } from '../ports/search-index'

export const MINUTE = 60_000
const SPAN = 2 * 24 * 60 * MINUTE

/** The first day of the current test's posts: each test uses its own days instead of an empty index. */
let start = Date.UTC(2026, 0, 1)

/** Gives the current test days that no other test uses. */
export function turnThePage(): void {
  start += SPAN
}

/** Finds every post of the test's own days. */
export function anyPost(q: string): PostSearch {
  return {
    query: parseSearchQuery(q),
    authorId: null,
    since: start,
    until: start + SPAN,
    excludeAuthors: [],
    after: null,
    limit: 100,
  }
}

/** Finds everybody. */
export function anyUser(q: string): UserSearch {
  return { query: parseUserQuery(q), exclude: [], after: null, limit: 100 }
}

/** Unix milliseconds. */
export function pageStart(): number {
  return start
}

export function idAt(n: number): number {
  return firstIdAt(start + n * MINUTE)
}

/** The n that `idAt` was given. */
export function numberOf(id: number): number {
  return Math.round((id - idAt(0)) / (idAt(1) - idAt(0)))
}

export function idOf(change: SearchChange): number {
  return change.op === 'index' ? change.document.id : change.id
}

/** The nth post, made n minutes into the test's own days. */
export function post(
  n: number,
  text: string,
  version = 1n,
  author = 7,
): SearchChange & { op: 'index' } {
  return {
    op: 'index',
    version,
    document: {
      kind: 'post',
      id: idAt(n) as PostId,
      authorId: author as UserId,
      text,
      createdAt: start + n * MINUTE,
    },
  }
}

export function removal(n: number, version: bigint): SearchChange {
  return { op: 'delete', kind: 'post', id: idAt(n), version }
}

export function user(
  id: number,
  username: string,
  displayName: string,
  version = 1n,
): SearchChange & { op: 'index' } {
  return {
    op: 'index',
    version,
    document: { kind: 'user', id: id as UserId, username, displayName },
  }
}

export interface SearchIndexHarness extends AsyncDisposable {
  readonly index: SearchIndex
}

export interface SearchIndexFixture {
  open(): Promise<SearchIndexHarness>
  /** Whether it finds what the reference finds and nothing else. */
  readonly exact: boolean
  /** Runs of the property tests. */
  readonly runs: number
}

/** Common steps of index tests; applied changes can be found when a call returns. */
export function searchSteps(index: () => SearchIndex) {
  async function apply(...changes: SearchChange[]) {
    const result = await index().apply(changes)
    await index().refresh()
    return result
  }

  return {
    apply,
    /** The nth text is that of the nth post. */
    fill: (texts: readonly string[]) => apply(...texts.map((text, n) => post(n, text))),
    /** The numbers of the posts found, best first. */
    async found(q: string, search: Partial<PostSearch> = {}) {
      const hits = await index().searchPosts({ ...anyPost(q), ...search })
      return hits.map((hit) => numberOf(hit.id))
    },
    async foundUsers(q: string, search: Partial<UserSearch> = {}) {
      const hits = await index().searchUsers({ ...anyUser(q), ...search })
      return hits.map((hit) => Number(hit.id))
    },
  }
}
