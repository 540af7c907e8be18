import { expect, test } from 'bun:test'
import type { UserId } from '../../domain/id'
import { anyPost } from '../../testing/search-documents'
import type { ElasticsearchClient } from './client'
import { createElasticsearchSearchIndex } from './search-index'

test('all pages of one query are asked of the same copy of the index', async () => {
  const asked: string[] = []
  const api = {
    async search({ preference }: { preference: string }) {
      asked.push(preference)
      return { hits: { hits: [] } }
    },
  }
  const call = async (send: (to: unknown, options: object) => unknown) => send(api, {})
  const client = { call } as unknown as ElasticsearchClient
  const index = createElasticsearchSearchIndex(client, { prefix: 'sns' })
  await index.searchPosts(anyPost('a word'))
  await index.searchPosts({ ...anyPost('a word'), after: { score: 1, id: 7 } })
  await index.searchPosts({ ...anyPost('a word'), excludeAuthors: [3 as UserId] })
  await index.searchPosts(anyPost('another word'))
  const [first, second, third, other] = asked
  expect([second, third]).toEqual([first, first])
  expect(other).not.toBe(first)
})
