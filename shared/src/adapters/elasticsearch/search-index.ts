import type { estypes } from '@elastic/elasticsearch'
import type { PostId, UserId } from '../../domain/id'
import {
  parseSearchQuery,
  parseUserQuery,
  type QueryPhrase,
  type SearchQuery,
} from '../../domain/search-query'
import type { PostSearch, SearchDocument, SearchIndex, SearchKey } from '../../ports/search-index'
import { chunks } from '../chunks'
import { applyBulk, documentSource } from './bulk'
import type { ElasticsearchClient } from './client'
import { type IndexNames, readAliases } from './index-definitions'

interface ElasticsearchSearchIndexOptions {
  readonly prefix: string
  /** The indexes that are read and written; those that searches read, unless others are named. */
  readonly names?: IndexNames
  readonly bulkConcurrency?: number
}

const REFRESH_TIMEOUT_MS = 30_000

/**
 * Scores by rule, since term relevance is noise for names: whole username, its beginning, display
 * name.
 */
const USER_SCORES = { username: 3, prefix: 2, name: 1 } as const

/** Search on Elasticsearch, over indexes that `migrateIndexes` makes. */
export function createElasticsearchSearchIndex(
  client: ElasticsearchClient,
  { prefix, names = readAliases(prefix), bulkConcurrency }: ElasticsearchSearchIndexOptions,
): SearchIndex {
  /** By score, best first, then newest first; deep pages cost no more than the first. */
  async function search(
    alias: string,
    query: Query,
    page: { readonly q: string; readonly after: SearchKey | null; readonly limit: number },
    fields: readonly string[],
  ) {
    const { hits } = await client.call((api, options) =>
      api.search<{ readonly text?: string }>(
        {
          index: alias,
          allow_partial_search_results: false,
          // The copies of a shard score differently: all pages of one query are read from the same.
          preference: Bun.hash(page.q).toString(36),
          query,
          size: page.limit,
          sort: [{ _score: { order: 'desc' } }, { id: 'desc' }],
          ...(page.after === null ? {} : { search_after: [page.after.score, page.after.id] }),
          track_total_hits: false,
          _source: [...fields],
        },
        options,
      ),
    )
    // Scores are floats, whose shortest decimal form comes back as it went.
    return hits.hits.map(({ sort: [score, id] = [], _source }) => ({
      score: Number(score),
      id: Number(id),
      text: _source?.text ?? '',
    }))
  }

  return {
    apply(changes) {
      return applyBulk(client, changes, {
        names,
        ...(bulkConcurrency === undefined ? {} : { concurrency: bulkConcurrency }),
      })
    },

    async searchPosts(wanted) {
      const query = parseSearchQuery(wanted.q)
      if (query.phrases.length === 0) return []
      const hits = await search(names.post, postQuery(query, wanted), wanted, ['text'])
      return hits.map(({ id, score, text }) => ({ id: id as PostId, score, text }))
    },

    async searchUsers(wanted) {
      const { username, name } = parseUserQuery(wanted.q)
      const queries: Query[] = []
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
      const hits = await search(names.user, { dis_max: { queries } }, wanted, [])
      return hits.map(({ id, score }) => ({ id: id as UserId, score }))
    },

    async differing(documents) {
      const byKind = Map.groupBy(documents, ({ kind }) => kind)
      const wrong: SearchDocument[] = []
      for (const [kind, some] of byKind) {
        const ids = some.map(({ id }) => String(id))
        const { docs } = await client.call((api, options) =>
          api.mget({ index: names[kind], ids }, options),
        )
        const held = new Map(docs.map((doc) => [doc._id, '_source' in doc ? doc._source : null]))
        wrong.push(
          ...some.filter(
            (document) => !Bun.deepEquals(held.get(String(document.id)), documentSource(document)),
          ),
        )
      }
      return wrong
    },

    async ids(kind, after, limit) {
      const { hits } = await client.call((api, options) =>
        api.search(
          {
            index: names[kind],
            allow_partial_search_results: false,
            query: { range: { id: { gt: after } } },
            size: limit,
            sort: [{ id: 'asc' }],
            track_total_hits: false,
            _source: false,
          },
          options,
        ),
      )
      return hits.hits.map(({ _id }) => Number(_id))
    },

    async refresh() {
      const index = [names.post, names.user]
      await client.call((api, options) => api.indices.refresh({ index }, options), {
        timeoutMs: REFRESH_TIMEOUT_MS,
      })
    },
  }
}

function points(filter: Query, boost: number): Query {
  return { constant_score: { filter, boost } }
}

type Query = NonNullable<estypes.QueryDslQueryContainer>

/**
 * The terms that a prefix at the end of a phrase may stand for: more than there are syllables to
 * follow one, so that none is left out.
 */
const MAX_EXPANSIONS = 12_000
/** Below what Elasticsearch takes in one `terms` query (65,536). */
const TERMS_CHUNK = 50_000

/** Every phrase of the query, by our terms or by its language's morphology, within the filters. */
function postQuery(query: SearchQuery, search: PostSearch): Query {
  const { authorId, since, until, excludeAuthors } = search
  const filter: Query[] = []
  if (authorId !== null) filter.push({ term: { authorId } })
  if (since !== null || until !== null) {
    const from = since === null ? {} : { gte: since }
    const to = until === null ? {} : { lt: until }
    filter.push({ range: { createdAt: { ...from, ...to } } })
  }
  return {
    bool: {
      must: query.phrases.map(phraseOrLanguage),
      filter,
      must_not: [...chunks(excludeAuthors, TERMS_CHUNK)].map((authors) => ({
        terms: { authorId: [...authors] },
      })),
    },
  }
}

function phraseQuery({ terms, prefix }: QueryPhrase): Query {
  const text = terms.join(' ')
  if (terms.length > 1) {
    return prefix
      ? { match_phrase_prefix: { grams: { query: text, max_expansions: MAX_EXPANSIONS } } }
      : { match_phrase: { grams: text } }
  }
  return prefix ? { prefix: { grams: { value: text } } } : { term: { grams: { value: text } } }
}

/** Exact matches score above matches of the stem; quoted phrases match exactly only. */
function phraseOrLanguage(phrase: QueryPhrase): Query {
  const exact = phraseQuery(phrase)
  if (phrase.quoted) return exact
  return {
    dis_max: {
      queries: [{ bool: { must: [exact], boost: 2 } }, languageMatch(phrase)],
      tie_breaker: 0.3,
    },
  }
}

function languageMatch({ text }: QueryPhrase): Query {
  return { match: { text: { query: text, operator: 'and' } } }
}
