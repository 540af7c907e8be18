import { expect, test } from 'bun:test'
import type { ElasticsearchClient } from './client'
import { type Search, searchTogether } from './search-together'

const FAILED = { error: { type: 'es_rejected_execution_exception' }, status: 429 }

/** An Elasticsearch whose hits say what was searched for; within others, it rejects `rejected`. */
function open({ rejected = '' } = {}) {
  const requests: (readonly string[])[] = []
  const answer = (name: string) => ({ hits: { hits: [{ _id: name }] } })
  const api = {
    async search({ preference: name }: Search['header']) {
      requests.push([name])
      return answer(name)
    },
    async msearch({ searches }: { searches: readonly Search['header'][] }) {
      const names = searches.flatMap(({ preference }) => preference ?? [])
      requests.push(names)
      return { responses: names.map((name) => (name === rejected ? FAILED : answer(name))) }
    },
  }
  const call = async (send: (to: unknown, options: object) => unknown) => send(api, {})
  const search = searchTogether<never>({ call } as unknown as ElasticsearchClient)
  const find = async (preference: string) => {
    const search_type = 'dfs_query_then_fetch' as const
    const header = { index: 'posts', allow_partial_search_results: false, preference, search_type }
    const { hits } = await search({ header, body: {} })
    return hits.hits.map(({ _id }) => _id)
  }
  return { find, requests }
}

test('sends together what one turn asks for, and gives each its own answer', async () => {
  const { find, requests } = open()
  expect(await Promise.all([find('a'), find('b'), find('c')])).toEqual([['a'], ['b'], ['c']])
  expect(await find('d')).toEqual(['d'])
  expect(requests).toEqual([['a', 'b', 'c'], ['d']])
})

test('lets no more than sixteen wait for one another', async () => {
  const { find, requests } = open()
  await Promise.all(Array.from({ length: 40 }, (_, n) => find(String(n))))
  expect(requests.map((each) => each.length)).toEqual([16, 16, 8])
})

test('asks once more, alone, for one that failed among others', async () => {
  const { find, requests } = open({ rejected: 'b' })
  expect(await Promise.all([find('a'), find('b'), find('c')])).toEqual([['a'], ['b'], ['c']])
  expect(requests).toEqual([['a', 'b', 'c'], ['b']])
})
