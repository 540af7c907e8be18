import { firstIdAt, type PostId, type UserId } from '../domain/id'
import type { PostSearch, SearchChange } from '../ports/search-index'

export const MINUTE = 60_000
const SPAN = 2 * 24 * 60 * MINUTE

/** Where the posts of the test at hand begin: each has days of its own, instead of an empty index. */
let start = Date.UTC(2026, 0, 1)

/** Gives the test at hand days that no other has. */
export function turnThePage(): void {
  start += SPAN
}

/** Finds every post of the test's own days. */
export function anyPost(): PostSearch {
  return {
    q: '',
    authorId: null,
    since: start,
    until: start + SPAN,
    excludeAuthors: [],
    after: null,
    limit: 100,
  }
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
): SearchChange {
  return {
    op: 'index',
    version,
    document: { kind: 'user', id: id as UserId, username, displayName },
  }
}
