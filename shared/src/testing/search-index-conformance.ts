import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { UserId } from '../domain/id'
import { textHash } from '../domain/text-hash'
import type { PostSearch, SearchIndex, SearchKey } from '../ports/search-index'
import { searchApplyConformance } from './search-apply-conformance'
import {
  anyPost,
  MINUTE,
  pageStart,
  post,
  type SearchIndexFixture,
  type SearchIndexHarness,
  searchSteps,
  turnThePage,
} from './search-documents'
import { searchMatchConformance } from './search-match-conformance'
import { searchUserConformance } from './search-user-conformance'

/** What every `SearchIndex` promises. The tests share one index, each with days of its own. */
export function searchIndexConformance(name: string, fixture: SearchIndexFixture): void {
  describe(name, () => {
    let harness: SearchIndexHarness
    beforeAll(async () => {
      harness = await fixture.open()
    })
    beforeEach(turnThePage)
    afterAll(() => harness?.[Symbol.asyncDispose]())

    const index = (): SearchIndex => harness.index
    const { apply, fill, found } = searchSteps(index)

    searchApplyConformance(index, fixture)
    searchMatchConformance(index, fixture)
    searchUserConformance(index)

    describe('filters', () => {
      test('keep what was asked for', async () => {
        await apply(
          post(1, 'sieve', 1n, 10),
          post(2, 'sieve', 1n, 20),
          post(3, 'sieve', 1n, 10),
          post(4, 'sieve', 1n, 30),
        )
        const author = (id: number) => id as UserId
        const all = async (search: Partial<PostSearch>) => (await found('sieve', search)).toSorted()
        expect(await all({ authorId: author(10), since: null, until: null })).toEqual([1, 3])
        expect(await all({ authorId: author(99) })).toEqual([])
        expect(await all({ since: pageStart() + 2 * MINUTE, until: null })).toEqual([2, 3, 4])
        expect(await all({ since: null, until: pageStart() + 2 * MINUTE })).toEqual([1])
        expect(
          await all({ since: pageStart() + 2 * MINUTE, until: pageStart() + 4 * MINUTE }),
        ).toEqual([2, 3])
        expect(await all({ excludeAuthors: [author(10), author(30)] })).toEqual([2])
        expect(await all({ excludeAuthors: [author(20)], authorId: author(20) })).toEqual([])
        const many = Array.from({ length: 3000 }, (_, n) => author(1000 + n))
        expect(await all({ excludeAuthors: [...many, author(10)] })).toEqual([2, 4])
      })
    })

    describe('order', () => {
      test('is by score, then newest first, and pages repeat and lose nothing', async () => {
        const texts = Array.from({ length: 60 }, (_, n) =>
          n % 3 === 0 ? 'tie word' : `${'word '.repeat(1 + (n % 4))}${'other '.repeat(n % 7)}`,
        )
        await fill(texts)
        const all = await index().searchPosts({ ...anyPost('word'), limit: 100 })
        expect(all).toHaveLength(60)
        for (const [at, hit] of all.entries()) {
          const before = all[at - 1]
          if (before === undefined) continue
          expect(before.score).toBeGreaterThanOrEqual(hit.score)
          if (before.score === hit.score) expect(before.id).toBeGreaterThan(hit.id)
        }
        expect(new Set(all.map((hit) => hit.score)).size).toBeLessThan(60)
        await fc.assert(
          fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 20 })), async (sizes) => {
            const pages: number[] = []
            let after: SearchKey | null = null
            for (const limit of sizes) {
              const hits = await index().searchPosts({ ...anyPost('word'), after, limit })
              expect(hits.length).toBeLessThanOrEqual(limit)
              pages.push(...hits.map((hit) => hit.id))
              const last = hits.at(-1)
              if (last === undefined) break
              after = JSON.parse(JSON.stringify({ score: last.score, id: last.id }))
            }
            expect(pages).toEqual(all.map((hit) => hit.id))
          }),
          { numRuns: 10 },
        )
      })

      test('puts what says it more above what says it less', async () => {
        await fill([
          'a long text that says penguin once among very many other words that matter as much',
          'penguin',
        ])
        expect(await found('penguin')).toEqual([1, 0])
      })
    })

    test('hits tell which text was found, where it matters', async () => {
      const hashes = async (q: string) =>
        (await index().searchPosts(anyPost(q))).map((hit) => hit.textHash)
      const texts = ['<b>영화</b>가 & "좋다"\n👍🏽', '영화는 그만']
      for (const [at, text] of texts.entries()) {
        await apply(post(1, text, BigInt(at + 1)))
        expect(await hashes('영화')).toEqual([fixture.exact ? null : textHash(text)])
      }
    })
  })
}
