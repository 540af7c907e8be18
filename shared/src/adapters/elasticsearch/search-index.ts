import type { PostId, UserId } from '../../domain/id'
import { parseSearchQuery, parseUserQuery } from '../../domain/search-query'
import type { SearchIndex, SearchKey } from '../../ports/search-index'
import { applyBulk } from './bulk'
import type { ElasticsearchClient } from './client'
import { postsAlias, usersAlias } from './index-definitions'
import { phraseQuery, postQuery } from './post-query'

export interface ElasticsearchSearchIndexOptions {
  readonly prefix: string
  readonly bulkConcurrency?: number
}

const REFRESH_TIMEOUT_MS = 30_000

/** Points, as a relevance of names would only be noise: the whole username, its beginning, the name. */
const USER_SCORES = { username: 3, prefix: 2, name: 1 } as const

/** Search on Elasticsearch, over indexes that `migrateIndexes` makes. */
export function createElasticsearchSearchIndex(
  client: ElasticsearchClient,
  { prefix, bulkConcurrency }: ElasticsearchSearchIndexOptions,
): SearchIndex {
  /** By score, best first, then newest first; deep pages cost no more than the first. */
  async function search(
    alias: string,
    query: Readonly<Record<string, unknown>>,
    page: { readonly q: string; readonly after: SearchKey | null; readonly limit: number },
    fields: readonly string[],
  ) {
    const { body } = await client.request({
      method: 'POST',
      path: `/${alias}/_search`,
      query: {
        allow_partial_search_results: false,
        // The copies of a shard score differently: all pages of one query are read from the same.
        preference: Bun.hash(page.q).toString(36),
      },
      body: {
        query,
        size: page.limit,
        sort: [{ _score: 'desc' }, { id: 'desc' }],
        ...(page.after === null ? {} : { search_after: [page.after.score, page.after.id] }),
        track_total_hits: false,
        _source: fields,
      },
    })
    return (body as SearchAnswer).hits.hits.map(({ sort: [score, id], _source }) => ({
      score,
      id,
      text: _source?.text ?? '',
    }))
  }

  return {
    apply(changes) {
      return applyBulk(client, changes, {
        prefix,
        ...(bulkConcurrency === undefined ? {} : { concurrency: bulkConcurrency }),
      })
    },

    async searchPosts(wanted) {
      const query = parseSearchQuery(wanted.q)
      if (query.phrases.length === 0) return []
      const hits = await search(postsAlias(prefix), postQuery(query, wanted), wanted, ['text'])
      return hits.map(({ id, score, text }) => ({ id: id as PostId, score, text }))
    },

    async searchUsers(wanted) {
      const { username, name } = parseUserQuery(wanted.q)
      const queries: Readonly<Record<string, unknown>>[] = []
      if (username !== null) {
        queries.push(
          points({ term: { username } }, USER_SCORES.username),
          points({ prefix: { username: { value: username } } }, USER_SCORES.prefix),
        )
      }
      if (name.phrases.length > 0) {
        queries.push(points({ bool: { filter: name.phrases.map(phraseQuery) } }, USER_SCORES.name))
      }
      if (queries.length === 0) return []
      const hits = await search(usersAlias(prefix), { dis_max: { queries } }, wanted, [])
      return hits.map(({ id, score }) => ({ id: id as UserId, score }))
    },

    async refresh() {
      await client.request({
        method: 'POST',
        path: `/${postsAlias(prefix)},${usersAlias(prefix)}/_refresh`,
        timeoutMs: REFRESH_TIMEOUT_MS,
      })
    },
  }
}

function points(filter: Readonly<Record<string, unknown>>, boost: number) {
  return { constant_score: { filter, boost } }
}

interface SearchAnswer {
  readonly hits: {
    readonly hits: readonly {
      /** Score and id. Scores are floats, whose shortest decimal form comes back as it went. */
      readonly sort: readonly [number, number]
      readonly _source?: { readonly text?: string }
    }[]
  }
}
