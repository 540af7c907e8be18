import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { disorderedMarks } from '../testing/awkward-texts'
import { normalizingWork, STEPS_PER_UNIT } from '../testing/normalizing-work'
import {
  SEARCH_TERMS_VERSION,
  searchTerms,
  TERM_LENGTH_MAX,
  termText as terms,
} from './search-terms'

describe('search terms', () => {
  test.each([
    ['Hello, World!', 'hello world'],
    ['Café CAFÉ cafe\u0301', 'cafe cafe cafe'],
    ['İstanbul Straße STRASSE ﬁne Øre łódź', 'istanbul strasse strasse fine ore lodz'],
    ['ＡＢＣ １２３', 'abc 123'],
    ['Ёлка Ελλάδα ΣΊΣΥΦΟΣ', 'елка ελλαδα σισυφοσ'],
    ['שָׁלוֹם مُحَمَّد كـتاب', 'שלום محمد كتاب'],
    ['हिन्दी भाषा', 'हिन्दी भाषा'],
    ['AT&T foo_bar a-b:c^d* (x OR y)', 'at t foo bar a b c d x or y'],
    ["don't don’t 'quoted' dogs' toys", 'don t don t quoted dogs toys'],
    ['so\u00ADft a\u200Db a\u200Bb', 'soft ab a b'],
    ['©2024 Sony™', '2024 sony'],
  ])('of words: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['영화를', '영화 화를 를'],
    ['가나 나다', '가나 나 나다 다'],
    ['집', '집'],
    ['LG전자는', 'lg 전자 자는 는'],
    ['2024년', '2024 년'],
    ['ㅋㅋㅋ', 'ㅋㅋ ㅋㅋ ㅋ'],
    ['영화'.normalize('NFD'), '영화 화'],
    ['食べる', '食べ べる る'],
    ['ｶﾞｷﾞ', 'ガギ ギ'],
    ['㈜삼성', '주 삼성 성'],
    ['สวัสดี', 'สวั วัส สดี ดี'],
    ['𠀀𠀁', '𠀀𠀁 𠀁'],
  ])('of runs: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['👍🏽👍', '👍 👍'],
    ['❤️ ❤', '❤ ❤'],
    ['👨‍👩‍👧', '👨 👩 👧'],
    ['🇰🇷🇯🇵', '🇰🇷 🇯🇵'],
    ['1️⃣', '1'],
    ['굿👍nice', '굿 👍 nice'],
  ])('of emoji: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test('are none where nothing is said', () => {
    for (const text of ['', ' \n\t', '!?…—"*', '\u200D\uFE0F', '\uD800', '\u0301']) {
      expect(terms(text)).toBe('')
    }
  })

  test('are cut where a word never ends', () => {
    expect(terms('a'.repeat(5000))).toBe('a'.repeat(TERM_LENGTH_MAX))
    expect(terms('𝔘'.repeat(100))).toBe('u'.repeat(TERM_LENGTH_MAX))
  })

  test.each(['a', 'か', '!', ''])(
    'take steps by the length of marks without end after %p, not by its square',
    async (first) => {
      const marks = first + disorderedMarks(64 * 1024)
      const steps = await normalizingWork(() => terms(marks))
      expect(steps).toBeLessThan(STEPS_PER_UNIT * marks.length)
    },
  )

  test('are the same however many accents a letter carries', () => {
    expect(terms(`a${'\u0315\u0316'.repeat(5_000)}b cd`)).toBe('ab cd')
  })

  test('change only with their version', () => {
    const sample = "LG전자는 2024년 don’t Café 食べる 👍🏽 ㅋㅋㅋ Straße STRAẞE สวัส 'x"
    const hash = Bun.hash(JSON.stringify(searchTerms(sample))).toString(36)
    expect({ version: SEARCH_TERMS_VERSION, hash }).toMatchInlineSnapshot(`
      {
        "hash": "wb2c2ynno3bd",
        "version": 2,
      }
    `)
  })
})

describe('every text', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('가', '나', 'a', 'é', '́', "'", ' ', '👍', '𠀀', '\uD83D', 'ᆨ'),
    }),
  )

  test('gives terms that hold no space and stand where they say, in order', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let before = 0
        for (const term of searchTerms(text)) {
          expect(term.text).not.toBe('')
          expect(term.text).not.toMatch(/[\s"*]/)
          expect(term.start).toBeGreaterThanOrEqual(before)
          expect(term.end).toBeGreaterThan(term.start)
          expect(term.firstEnd).toBeGreaterThan(term.start)
          expect(term.firstEnd).toBeLessThanOrEqual(term.end)
          expect(term.end).toBeLessThanOrEqual(text.length)
          if (text.isWellFormed())
            expect(text.slice(term.start, term.end).isWellFormed()).toBe(true)
          before = term.start
        }
      }),
    )
  })

  test('gives the same terms composed, decomposed and in upper case', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('가', '힣', 'a', 'é', 'ß', 'ガ', ' ', 'ё') }),
        (text) => {
          expect(terms(text.normalize('NFD'))).toBe(terms(text))
          expect(terms(text.toUpperCase())).toBe(terms(text))
        },
      ),
    )
  })
})
