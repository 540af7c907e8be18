import { markRanges, matchRanges, type TextRange } from '../../domain/highlight'
import { matchesQuery, type SearchQuery } from '../../domain/search-query'
import { isSnsError } from '../../errors/sns-error'
import type { ElasticsearchClient } from './client'
import { postsAlias } from './index-definitions'
import { languageQuery } from './post-query'

export interface FoundText {
  readonly id: number
  readonly text: string
}

/** Marks are worth less than an answer: past this, the hits go out without those of the morphology. */
const TIMEOUT_MS = 1_000

// No text holds them: control characters are refused at the door.
const OPEN = '\u0001'
const CLOSE = '\u0002'

/**
 * The texts as HTML, by id. Our own terms say what to mark; only for texts that they alone would not
 * have found is Elasticsearch asked what its morphology saw there.
 */
export async function highlightPosts(
  client: ElasticsearchClient,
  prefix: string,
  query: SearchQuery,
  found: readonly FoundText[],
): Promise<ReadonlyMap<number, string>> {
  const byLanguage = found.filter(({ text }) => !matchesQuery(text, query))
  const seen = await rangesByLanguage(client, prefix, query, byLanguage)
  return new Map(
    found.map(({ id, text }) => [
      id,
      markRanges(text, [...matchRanges(text, query), ...(seen.get(id) ?? [])]),
    ]),
  )
}

async function rangesByLanguage(
  client: ElasticsearchClient,
  prefix: string,
  query: SearchQuery,
  texts: readonly FoundText[],
): Promise<ReadonlyMap<number, readonly TextRange[]>> {
  if (texts.length === 0) return new Map()
  try {
    return await askForRanges(client, prefix, query, texts)
  } catch (error) {
    if (isSnsError(error, 'store_unavailable')) return new Map()
    throw error
  }
}

async function askForRanges(
  client: ElasticsearchClient,
  prefix: string,
  query: SearchQuery,
  texts: readonly FoundText[],
): Promise<Map<number, TextRange[]>> {
  const { body } = await client.request({
    method: 'POST',
    path: `/${postsAlias(prefix)}/_search`,
    attempts: 1,
    timeoutMs: TIMEOUT_MS,
    body: {
      size: texts.length,
      track_total_hits: false,
      _source: false,
      query: {
        bool: {
          filter: [{ ids: { values: texts.map(({ id }) => String(id)) } }],
          should: [languageQuery(query)],
        },
      },
      highlight: {
        number_of_fragments: 0,
        pre_tags: [OPEN],
        post_tags: [CLOSE],
        fields: { text: {} },
      },
    },
  })
  const { hits } = body as HighlightAnswer
  const originals = new Map(texts.map(({ id, text }) => [id, text]))
  return new Map(
    hits.hits.flatMap((hit): [number, TextRange[]][] => {
      const id = Number(hit._id)
      const marked = hit.highlight?.text?.[0]
      const ranges = marked === undefined ? null : rangesIn(marked, originals.get(id) ?? '')
      return ranges === null ? [] : [[id, ranges]]
    }),
  )
}

interface HighlightAnswer {
  readonly hits: {
    readonly hits: readonly {
      readonly _id: string
      readonly highlight?: { readonly text?: readonly string[] }
    }[]
  }
}

/** Null where the marked text is not the original (it was edited in between). */
function rangesIn(marked: string, original: string): TextRange[] | null {
  const ranges: TextRange[] = []
  let plain = ''
  for (const part of marked.split(OPEN).slice(1)) {
    if (plain === '' && ranges.length === 0) plain = marked.slice(0, marked.indexOf(OPEN))
    const [inside = '', outside = ''] = part.split(CLOSE)
    ranges.push({ start: plain.length, end: plain.length + inside.length })
    plain += inside + outside
  }
  return plain === original ? ranges : null
}
