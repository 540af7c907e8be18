import type { estypes } from '@elastic/elasticsearch'
import { inOneTurn } from '../../async/in-one-turn'
import type { ElasticsearchClient } from './client'

/** A search: where, and what for. */
export interface Search {
  readonly header: {
    readonly index: string
    readonly allow_partial_search_results: boolean
    readonly preference: string
    readonly search_type: estypes.SearchType
  }
  readonly body: estypes.SearchSearchRequestBody
}

export type SearchAnswer<Source> = Pick<estypes.SearchResponse<Source>, 'hits'>

/** A request is answered when its slowest search is: a bound of what one may hold up. */
const TOGETHER_MAX = 16

/**
 * Searches; what is asked for in one turn of the event loop goes in one request, which costs both sides less: of a
 * search that finds nothing, most is its request. Nothing waits for others to come. Errors: those of the client.
 */
export function searchTogether<Source>(
  client: Pick<ElasticsearchClient, 'call'>,
): (search: Search) => Promise<SearchAnswer<Source>> {
  const inTurn = inOneTurn({ limit: TOGETHER_MAX, sizeOf: () => 1, work: answersOf })

  /** Of those that were asked for with others, and did not fail. */
  async function answersOf(
    asked: readonly Search[],
  ): Promise<ReadonlyMap<Search, SearchAnswer<Source>>> {
    const answers = new Map<Search, SearchAnswer<Source>>()
    if (asked.length === 1) return answers
    const searches = asked.flatMap(({ header, body }) => [header, body])
    const { responses } = await client.call((api, options) =>
      api.msearch<Source>({ searches }, options),
    )
    for (const [at, search] of asked.entries()) {
      const answer = responses[at]
      if (answer && !('error' in answer)) answers.set(search, answer)
    }
    return answers
  }

  // One that failed among others is asked for once more: its retries, its error and its count are those of any call.
  const alone = ({ header, body }: Search) =>
    client.call((api, options) => api.search<Source>({ ...header, ...body }, options))

  return async (search) => (await inTurn(search)).get(search) ?? (await alone(search))
}
