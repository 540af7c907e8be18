import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { SearchIndex, SearchKey } from '../../ports/search-index'
import { anyPost, post, turnThePage } from '../../testing/search-documents'
import { searchIndexConformance } from '../../testing/search-index-conformance'
import { testServers } from '../../testing/servers'
import {
  createTestElasticsearch,
  ONE_SHARD,
  type TestElasticsearch,
} from '../../testing/test-elasticsearch'
import { createElasticsearchSearchIndex } from './search-index'

const THREE_SHARDS = { ...ONE_SHARD, shards: 3 }

/** Rare and common ones; forms of each other; beginnings of each other; glued ones. */
const WORDS = [
  '영화',
  '영화관',
  '영화가',
  '멜로영화를',
  '첫사랑',
  '첫사랑은',
  '사랑이',
  '집',
  '빈집에서',
  '집은',
]
  .concat([
    'LG전자',
    'LG집',
    'LG집은',
    'LG집들이',
    'LG집안',
    'LG집게',
    '집값',
    '집밥',
    '집집',
    'dog',
    'dogs',
    'party',
    'parties',
    'the',
    'the',
  ])
  .concat(['the', 'a', '한국의', '한국', '역사', '역사가', '👍', 'café', "don't", 'quick', 'brown'])

/** Something of each word, and as few of their other forms as may be. */
const EVERYWHERE =
  'LG집 LG집들이 집은 dog dogs party parties the a 👍 café quick brown don’t 영화 사랑이 한국 역사'

const QUERIES = fc.oneof(
  fc.constant('LG집'),
  fc.constantFrom(...WORDS),
  fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map((some) => some.join(' ')),
  // A shard that has nothing of a phrase says nothing of how many posts it has: so each has something of these.
  fc
    .array(fc.constantFrom(...EVERYWHERE.split(' ')), { minLength: 2, maxLength: 2 })
    .map((some) => `"${some.join(' ')}"`),
)

/** Texts as people write: common words often, long ones seldom. */
const TEXTS = fc.array(
  fc
    .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 12 })
    .map((words) => words.join(' ')),
  { minLength: 1, maxLength: 40 },
)

describe.skipIf(!testServers.elasticsearch)('an index of three shards', () => {
  searchIndexConformance('ElasticsearchSearchIndex of three shards', {
    exact: false,
    runs: 5,
    async open() {
      const server = await createTestElasticsearch({ newIndex: THREE_SHARDS })
      return {
        index: createElasticsearchSearchIndex(server.client, { prefix: server.prefix }),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  })

  const servers: TestElasticsearch[] = []
  let one: SearchIndex
  let three: SearchIndex

  beforeAll(async () => {
    const open = async (newIndex = ONE_SHARD) => {
      const server = await createTestElasticsearch({ newIndex })
      servers.push(server)
      return createElasticsearchSearchIndex(server.client, { prefix: server.prefix })
    }
    one = await open()
    three = await open(THREE_SHARDS)
    await fill(Array.from({ length: 60 }, () => EVERYWHERE))
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  async function fill(texts: readonly string[]) {
    turnThePage()
    const changes = texts.map((text, n) => post(n, text))
    for (const index of [one, three]) {
      await index.apply(changes)
      await index.refresh()
    }
  }

  test('gives every post the score that it has in one shard, and so the same order', async () => {
    await fc.assert(
      fc.asyncProperty(
        TEXTS,
        fc.array(QUERIES, { minLength: 10, maxLength: 20 }),
        async (texts, queries) => {
          await fill(texts)
          for (const q of queries) {
            const found = async (index: SearchIndex) => ({
              q,
              hits: await index.searchPosts({
                ...anyPost(q),
                since: null,
                until: null,
                limit: 5_000,
              }),
            })
            expect(await found(three)).toEqual(await found(one))
          }
        },
      ),
      { numRuns: 25 },
    )
  }, 120_000)

  test('pages of any size lose and repeat nothing, of many posts with one score too', async () => {
    await fill(Array.from({ length: 90 }, (_, n) => (n % 9 === 0 ? 'tie tie again' : 'tie again')))
    const all = (await one.searchPosts(anyPost('tie'))).map(({ id }) => id)
    expect(all).toHaveLength(90)
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 25 })), async (sizes) => {
        const pages: number[] = []
        let after: SearchKey | null = null
        for (const limit of sizes) {
          const hits = await three.searchPosts({ ...anyPost('tie'), after, limit })
          pages.push(...hits.map(({ id }) => id))
          const last = hits.at(-1)
          if (last === undefined) break
          after = last
        }
        expect(pages).toEqual(all)
      }),
      { numRuns: 10 },
    )
  })

  test('lists its ids in order, and tells what it lacks, over all shards', async () => {
    await fill(Array.from({ length: 50 }, (_, n) => `text ${n}`))
    const ids: number[] = []
    for (let after = 0; ; after = ids.at(-1) ?? 0) {
      const some = await three.ids('post', after, 7)
      ids.push(...some)
      if (some.length < 7) break
    }
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    const documents = Array.from({ length: 51 }, (_, n) => post(n, `text ${n}`).document)
    expect(ids).toEqual(expect.arrayContaining(documents.slice(0, 50).map(({ id }) => Number(id))))
    expect(await three.differing(documents)).toEqual(documents.slice(50))
  })
})
