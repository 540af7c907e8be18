import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesQuery, parseSearchQuery } from '../domain/search-query'
import type { SearchIndex } from '../ports/search-index'
import { type SearchIndexFixture, searchSteps, turnThePage } from './search-documents'

/** What every `SearchIndex` promises about matches: at least those of the reference. */
export function searchMatchConformance(
  index: () => SearchIndex,
  { exact, runs }: Pick<SearchIndexFixture, 'exact' | 'runs'>,
): void {
  const { fill, found } = searchSteps(index)

  describe('matching posts', () => {
    test('finds a Korean noun with any particle', async () => {
      await fill(['영화가 좋다', '그 영화를', '영화는 역시', '영화에서도', '멜로영화다', '만화를'])
      expect((await found('영화')).toSorted()).toEqual([0, 1, 2, 3, 4])
      expect(await found('멜로영화')).toContain(4)
      expect(await found('만화')).toContain(5)
    })

    test('finds words that no dictionary knows', async () => {
      await fill(['갓생러들이 모여', '완내스였다', '킹받네요 진짜', '뇌절은 그만'])
      expect(await found('갓생러')).toContain(0)
      expect(await found('완내스')).toContain(1)
      expect(await found('킹받')).toContain(2)
      expect(await found('뇌절')).toContain(3)
    })

    test('finds mixed scripts, glued or not', async () => {
      await fill(['LG전자는 올랐다', '2024년에 본 iPhone15를', 'K-POP을 듣자'])
      expect(await found('lg')).toEqual([0])
      expect(await found('LG전자')).toEqual([0])
      expect(await found('2024년 iphone15')).toEqual([1])
      expect(await found('k-pop')).toEqual([2])
    })

    test('finds one syllable too', async () => {
      await fill(['집에 간다', '우리 집', '빈집에서', '지붕'])
      expect((await found('집')).toSorted()).toEqual([0, 1, 2])
    })

    test('wants all words, case and accents aside', async () => {
      await fill(['The Café is OPEN', 'the cafe', 'open', 'I don’t know'])
      expect(await found('cafe')).toHaveLength(2)
      expect(await found('CAFÉ open')).toEqual([0])
      expect(await found("DON'T")).toEqual([3])
      expect(await found('café closed')).toEqual([])
    })

    test('wants quoted words in order', async () => {
      await fill(['a quick brown fox', 'a brown quick fox', '최고의 영화를 봤다', '영화 최고의'])
      expect(await found('"quick brown"')).toEqual([0])
      expect(await found('"최고의 영화"')).toEqual([2])
      expect(await found('"quick brown" cat')).toEqual([])
      expect((await found('"quick brown')).toSorted()).toEqual([0, 1])
    })

    test('finds emoji, kana and right-to-left words', async () => {
      await fill(['nice 👍🏽 ❤️', '寿司を食べる', 'שָׁלוֹם עולם', 'مرحبا بالعالم'])
      expect(await found('👍')).toEqual([0])
      expect(await found('❤')).toEqual([0])
      expect(await found('食べる')).toEqual([1])
      expect(await found('寿司')).toEqual([1])
      expect(await found('שלום')).toEqual([2])
      expect(await found('مرحبا')).toEqual([3])
    })

    test('takes hostile queries for text', async () => {
      await fill(['near or not and', 'plain'])
      const hostile = [
        'NEAR(plain x)',
        '"',
        '""',
        '"""plain',
        "'; drop table posts;--",
        '\\',
        '\\"plain\\"',
        'plain*',
        '-plain',
        'terms:plain',
        '^plain',
        '{plain}',
        '(plain',
        'plain AND',
        '*:*',
        '/pl.*/',
        'plain~2',
        'plain^9',
        '[a TO z]',
        '\u0000plain',
        '\uD800plain',
        '%',
        '_',
        '<b>plain',
      ]
      for (const q of hostile) {
        const reference = parseSearchQuery(q)
        const expected = matchesQuery('plain', reference) ? [1] : []
        expect({ q, found: await found(q) }).toEqual({ q, found: expected })
      }
      expect(await found('near OR not')).toEqual([0])
      expect(await found('plain '.repeat(5000))).toEqual([1])
      expect(await found('x'.repeat(100_000))).toEqual([])
      expect(await found(`"${'가나다라'.repeat(2000)}"`)).toEqual([])
      expect(await found(Array.from({ length: 300 }, (_, n) => `w${n}`).join(' '))).toEqual([])
    })

    test(`finds ${exact ? 'exactly' : 'at least'} what the reference finds`, async () => {
      const unit = fc.constantFrom('가', '나', '다', 'a', 'B', 'é', '1', "'", ' ', ' ', '👍', '食')
      const corpus = fc.array(fc.string({ unit, maxLength: 12 }), { minLength: 1, maxLength: 6 })
      const q = fc.string({
        unit: fc.oneof({ weight: 8, arbitrary: unit }, { weight: 1, arbitrary: fc.constant('"') }),
        maxLength: 6,
      })
      const queries = fc.array(q, { minLength: 1, maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(corpus, queries, async (texts, wanted) => {
          turnThePage()
          await fill(texts)
          for (const each of wanted) {
            const query = parseSearchQuery(each)
            const expected = texts.flatMap((text, n) => (matchesQuery(text, query) ? [n] : []))
            const hits = (await found(each)).toSorted()
            if (exact) expect(hits).toEqual(expected)
            else expect(hits).toEqual(expect.arrayContaining(expected))
          }
        }),
        { numRuns: runs },
      )
    })
  })
}
