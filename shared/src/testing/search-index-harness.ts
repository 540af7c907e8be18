import type { PostSearch, SearchChange, SearchIndex } from '../ports/search-index'
import { anyPost, numberOf, post } from './search-documents'

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

/** What tests do to an index all the time; what they apply can be found when they go on. */
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
      const hits = await index().searchPosts({ ...anyPost(), q, ...search })
      return hits.map((hit) => numberOf(hit.id))
    },
    async foundUsers(q: string) {
      const hits = await index().searchUsers({ q, after: null, limit: 100 })
      return hits.map((hit) => Number(hit.id))
    },
  }
}
