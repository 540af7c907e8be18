import { describe, expect, test } from 'bun:test'
import { parseSearchQuery } from '../../domain/search-query'
import { storeUnavailable } from '../../errors/sns-error'
import type { ElasticsearchClient } from './client'
import { highlightPosts } from './post-highlight'

/** Answers every request with these marked texts by id, or fails. */
function createFake(marked: Readonly<Record<string, string>> | null) {
  let asked = 0
  const client: ElasticsearchClient = {
    url: 'http://fake',
    async request() {
      asked += 1
      if (marked === null) throw storeUnavailable('elasticsearch')
      const hits = Object.entries(marked).map(([_id, text]) => ({
        _id,
        highlight: { text: [text] },
      }))
      return { status: 200, body: { hits: { hits } } }
    },
    countRetry() {},
    health: { name: 'fake', check: async () => {} },
    [Symbol.asyncDispose]: async () => {},
  }
  const mark = async (q: string, ...texts: string[]) => {
    const found = texts.map((text, id) => ({ id, text }))
    const highlights = await highlightPosts(client, 'p', parseSearchQuery(q), found)
    return [...highlights.values()]
  }
  return { mark, asked: () => asked }
}

describe('highlights', () => {
  test('come from our own terms where these match', async () => {
    const { mark, asked } = createFake({})
    expect(await mark('영화', '<영화>가')).toEqual(['&lt;<mark>영화</mark>&gt;가'])
    expect(asked()).toBe(0)
  })

  test('come from the morphology where only that matches, beside our own', async () => {
    const { mark } = createFake({ 1: '\u0001먹었\u0002다 & 밥 \u0001또\u0002' })
    expect(await mark('밥 먹다', '밥 먹다', '먹었다 & 밥 또')).toEqual([
      '<mark>밥</mark> <mark>먹다</mark>',
      '<mark>먹었</mark>다 &amp; <mark>밥</mark> <mark>또</mark>',
    ])
  })

  test('do without it where the text was edited in between or nobody answers', async () => {
    expect(await createFake({ 0: '\u0001딴\u0002 글' }).mark('먹다', '먹었다')).toEqual(['먹었다'])
    expect(await createFake({}).mark('먹다', '먹었다')).toEqual(['먹었다'])
    expect(await createFake(null).mark('먹다', '먹었다')).toEqual(['먹었다'])
  })
})
