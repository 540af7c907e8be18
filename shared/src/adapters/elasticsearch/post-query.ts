import type { QueryPhrase, SearchQuery } from '../../domain/search-query'
import type { PostSearch } from '../../ports/search-index'
import { chunks } from '../chunks'

type Query = Readonly<Record<string, unknown>>

/**
 * The terms that a prefix at the end of a phrase may stand for: more than there are syllables to
 * follow one, so that none is left out.
 */
const MAX_EXPANSIONS = 12_000
/** Below what Elasticsearch takes in one `terms` query (65,536). */
const TERMS_CHUNK = 50_000

/** Every phrase of the query, by our terms or by its language's morphology, within the filters. */
export function postQuery(query: SearchQuery, search: PostSearch): Query {
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
        terms: { authorId: authors },
      })),
    },
  }
}

export function phraseQuery({ terms, prefix }: QueryPhrase): Query {
  const text = terms.join(' ')
  if (terms.length > 1) {
    return prefix
      ? { match_phrase_prefix: { grams: { query: text, max_expansions: MAX_EXPANSIONS } } }
      : { match_phrase: { grams: text } }
  }
  return prefix ? { prefix: { grams: { value: text } } } : { term: { grams: { value: text } } }
}

/** What stands there as it was typed goes above what only shares a stem; quotes want just the former. */
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
