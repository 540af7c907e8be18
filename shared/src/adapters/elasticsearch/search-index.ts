import type { estypes } from '@elastic/elasticsearch'
import type { PostId, UserId } from '../../domain/id'
import type { QueryPhrase, SearchQuery, UserQuery } from '../../domain/search-query'
import type { PostSearch, SearchDocument, SearchIndex } from '../../ports/search-index'
import { chunks } from '../chunks'
import { applyBulk, documentSource } from './bulk'
import type { ElasticsearchClient } from './client'
import { type IndexNames, readAliases } from './index-definitions'
import { searchTogether } from './search-together'

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
  const ask = searchTogether<never>(client)

  /** By score, best first, then newest first; deep pages cost no more than the first. */
  async function search(
    alias: string,
    query: Query,
    page: Pick<PostSearch, 'after' | 'limit'> & { readonly query: SearchQuery | UserQuery },
    { fields = [], weighs }: { readonly fields?: readonly string[]; readonly weighs: boolean },
  ) {
    const { hits } = await ask({
      header: {
        index: alias,
        allow_partial_search_results: false,
        // The copies of a shard score differently: all pages of one query are read from the same.
        preference: Bun.hash(JSON.stringify(page.query)).toString(36),
        // A shard alone knows how rare a word is among its own documents only. Of one shard, or of scores by rule, it
        // is the same request.
        search_type: weighs ? 'dfs_query_then_fetch' : 'query_then_fetch',
      },
      body: {
        query,
        size: page.limit,
        sort: [{ _score: { order: 'desc' } }, { id: 'desc' }],
        ...(page.after === null ? {} : { search_after: [page.after.score, page.after.id] }),
        track_total_hits: false,
        // Of a common word, half of the time went into reading whole documents.
        stored_fields: '_none_',
        _source: false,
        docvalue_fields: [...fields],
      },
    })
    // Scores are floats, whose shortest decimal form comes back as it went.
    return hits.hits.map(({ sort: [score, id] = [], fields }) => ({
      score: Number(score),
      id: Number(id),
      fields,
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
      if (wanted.query.phrases.length === 0) return []
      const hits = await search(names.post, postQuery(wanted), wanted, {
        fields: ['textHash'],
        weighs: true,
      })
      return hits.map(({ id, score, fields }) => ({
        id: id as PostId,
        score,
        textHash: fields?.textHash?.[0] ?? null,
      }))
    },

    async searchUsers(wanted) {
      const { username, name } = wanted.query
      const queries: Query[] = []
      if (username !== null) {
        queries.push(
          points({ term: { username } }, USER_SCORES.username),
          points({ prefix: { username: { value: username } } }, USER_SCORES.prefix),
        )
      }
      if (name.phrases.length > 0) {
        queries.push(
          points(
            { bool: { filter: name.phrases.map((phrase) => phraseQuery(phrase)) } },
            USER_SCORES.name,
          ),
        )
      }
      if (queries.length === 0) return []
      const found: Query = { dis_max: { queries } }
      const mustNot = noneOf('id', wanted.exclude)
      const query = mustNot.length === 0 ? found : { bool: { must: found, must_not: mustNot } }
      const hits = await search(names.user, query, wanted, { weighs: false })
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
/** What a match of the word itself counts beside one of another form. */
const EXACT_BOOST = 2
/** Below what Elasticsearch takes in one `terms` query (65,536). */
const TERMS_CHUNK = 50_000

function noneOf(field: 'authorId' | 'id', users: readonly UserId[]): Query[] {
  return [...chunks(users, TERMS_CHUNK)].map((some) => ({ terms: { [field]: [...some] } }))
}

/** Every phrase of the query, by our terms or by its language's morphology, within the filters. */
function postQuery(search: PostSearch): Query {
  const { query, authorId, since, until, excludeAuthors } = search
  const filter: Query[] = []
  if (authorId !== null) filter.push({ term: { authorId } })
  if (since !== null || until !== null) {
    const from = since === null ? {} : { gte: since }
    const to = until === null ? {} : { lt: until }
    filter.push({ range: { createdAt: { ...from, ...to } } })
  }
  const must = query.phrases.map(phraseOrLanguage)
  const mustNot = noneOf('authorId', excludeAuthors)
  const [first] = must
  // Elasticsearch takes an eighth less time for a query without a frame around it.
  if (first && must.length + filter.length + mustNot.length === 1) return first
  return { bool: { must, filter, must_not: mustNot } }
}

/**
 * What scores is terms that are the same in every shard: what a prefix stands for, or morphology makes of a word, is
 * there in one shard and not in another, and would score the same post differently.
 */
function phraseQuery({ terms, prefix }: Pick<QueryPhrase, 'terms' | 'prefix'>, boost = 1): Query {
  const text = terms.join(' ')
  if (terms.length === 1) {
    return prefix
      ? { prefix: { grams: { value: text, boost } } }
      : { term: { grams: { value: text, boost } } }
  }
  if (!prefix) return { match_phrase: { grams: { query: text, boost } } }
  const begins = { match_phrase_prefix: { grams: { query: text, max_expansions: MAX_EXPANSIONS } } }
  return {
    bool: {
      must: phraseQuery({ terms: terms.slice(0, -1), prefix: false }, boost),
      filter: begins,
    },
  }
}

/** Exact matches score above other forms of a word; quoted phrases match exactly only. */
function phraseOrLanguage(phrase: QueryPhrase): Query {
  const forms = formQueries(phrase)
  if (forms.length === 0) return phraseQuery(phrase)
  return {
    dis_max: { queries: [phraseQuery(phrase, EXACT_BOOST), ...forms], tie_breaker: 0.3 },
  }
}

/** The word's morphemes, one after the other. A particle in its midst stands for no other word. */
function morphemes(word: string): Query {
  const query = `"${word.replace(/["\\]/g, ' ')}"`
  return { query_string: { default_field: 'text', query, enable_position_increments: false } }
}

/**
 * Its forms by the language's rules. Nori reads a word alone otherwise than in its sentence, and takes apart nouns that
 * it does not know. So the word's parts must follow each other, and its beginning must be there as typed, which scores.
 */
function formQueries({ terms, text, forms }: QueryPhrase): Query[] {
  if (forms === null) return []
  if (forms.kind === 'korean') {
    const beginning = phraseQuery({ terms: terms.slice(0, forms.shared), prefix: false })
    return [{ bool: { must: beginning, filter: morphemes(text) } }]
  }
  const others = forms.last.filter((form) => form !== terms.at(-1))
  return others.map((form) => phraseQuery({ terms: terms.with(-1, form), prefix: false }))
}
