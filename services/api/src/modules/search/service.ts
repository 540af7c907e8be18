import type { UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { SearchQuery } from '@sns/shared/domain/search-query'
import { textHash } from '@sns/shared/domain/text-hash'
import type { User } from '@sns/shared/domain/user'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { SearchIndex, SearchKey } from '@sns/shared/ports/search-index'
import type { UserStore } from '@sns/shared/ports/user-store'
import type { EncodedPage } from '../../http/body'
import { readSearchCursor, writeSearchCursor } from '../../http/cursors'
import { fillPage } from '../../http/fill-page'
import { checkContent } from '../../http/input'
import { joinPage, type ShownPost } from '../../memory/page-bytes'
import { textOf } from '../../memory/post-pieces'
import type { Viewer } from '../../memory/versioned-cache'
import type { VisiblePosts } from '../../memory/visible-posts'
import type { UserLookup } from '../users/lookup'
import { presentUser, type UserPage } from '../users/schema'
import { createExclusion } from './exclusion'
import { highlight } from './highlight'
import { readPostQuery, readTime, readUserQuery } from './query'
import * as contract from './schema'
import { createTurns } from './turns'

export interface SearchServiceDeps {
  readonly search: Pick<SearchIndex, 'searchPosts' | 'searchUsers'>
  readonly visiblePosts: VisiblePosts
  readonly users: Pick<UserStore, 'findVisible'>
  readonly graph: Pick<GraphStore, 'blockedEitherWay'>
  readonly lookup: UserLookup
}

/**
 * The index finds ids. It trails the rows, so what is known to be current, or SQL, decides which posts may be
 * shown, and with which text.
 */
export function createSearchService(deps: SearchServiceDeps) {
  const { search, visiblePosts, users, graph, lookup } = deps

  async function authorFilter(username: string | undefined, viewer: UserId) {
    if (username === undefined) return { authorId: null, isNobody: false }
    const author = await lookup.visible(username, viewer)
    return { authorId: author?.id ?? null, isNobody: author === null }
  }

  return {
    /** `isHeard`: as authentication tells. */
    async posts(
      viewer: Viewer,
      asked: contract.PostSearchQuery,
      isHeard: boolean,
    ): Promise<EncodedPage> {
      await checkContent({ query: contract.PostSearchQuery }, { query: asked })
      const query = readPostQuery(asked.q)
      const since = readTime('since', asked.since)
      const until = readTime('until', asked.until)
      const start = readSearchCursor('search', asked.cursor)
      const { authorId, isNobody } = await authorFilter(asked.author, viewer.id)
      if (isNobody) return joinPage([], null)
      const filter = { query, authorId, since, until }
      const exclusion = createExclusion(graph, viewer.id)

      const page = await fillPage<ShownPost, SearchKey>(
        start,
        asked.limit ?? PAGE_LIMIT_DEFAULT,
        async (after, count) => {
          const hits = await search.searchPosts({
            ...filter,
            excludeAuthors: exclusion.users(),
            after,
            limit: count,
          })
          const visible = await visiblePosts(
            viewer,
            hits.map(({ id }) => id),
            isHeard,
          )
          await exclusion.note({ asked: count, hits: hits.length, shown: visible.size })
          const found: { readonly key: SearchKey; readonly item: ShownPost }[] = []
          const turn = createTurns()
          for (const { id, score, textHash } of hits) {
            const post = visible.get(id)
            const item = post && hitOf(post, textHash, query)
            if (item) found.push({ key: { score, id }, item })
            await turn()
          }
          return { found, last: lastKey(hits, count) }
        },
      )
      return joinPage(page.items, writeSearchCursor('search', page.next))
    },

    async users(viewer: UserId, asked: contract.UserSearchQuery): Promise<UserPage> {
      const query = readUserQuery(asked.q)
      const start = readSearchCursor('users', asked.cursor)
      const exclusion = createExclusion(graph, viewer)

      const page = await fillPage<User, SearchKey>(
        start,
        asked.limit ?? PAGE_LIMIT_DEFAULT,
        async (after, count) => {
          const hits = await search.searchUsers({
            query,
            exclude: exclusion.users(),
            after,
            limit: count,
          })
          const visible = await users.findVisible(
            hits.map(({ id }) => id),
            viewer,
          )
          await exclusion.note({ asked: count, hits: hits.length, shown: visible.length })
          const byId = new Map(visible.map((user) => [user.id, user]))
          return {
            found: hits.flatMap(({ id, score }) => {
              const user = byId.get(id)
              return user ? [{ key: { score, id }, item: user }] : []
            }),
            last: lastKey(hits, count),
          }
        },
      )
      return {
        items: page.items.map(presentUser),
        nextCursor: writeSearchCursor('users', page.next),
      }
    },
  }
}

/**
 * A post with the matches of its current text marked; null where it was edited since it was indexed and no longer
 * matches. The index may also match by morphology, which our terms do not: such a match holds for exactly the text
 * that was indexed. A hit always has a mark.
 */
function hitOf(post: ShownPost, indexed: number | null, query: SearchQuery): ShownPost | null {
  const text = textOf(post.piece)
  const { matches, mayMatch, html } = highlight(text, query)
  if (!matches && !(mayMatch && textHash(text) === indexed)) return null
  return { ...post, more: Buffer.from(`,"highlight":${JSON.stringify(html)}`) }
}

/** Null at the end: the index had fewer hits than asked for. */
function lastKey(hits: readonly SearchKey[], asked: number): SearchKey | null {
  const last = hits.at(-1)
  return last === undefined || hits.length < asked ? null : { score: last.score, id: last.id }
}
