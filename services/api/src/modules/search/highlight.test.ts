import { describe, expect, test } from 'bun:test'
import { matchesQuery, parseSearchQuery } from '@sns/shared/domain/search-query'
import fc from 'fast-check'
import { highlight } from './highlight'

const marked = (text: string, q: string) => highlight(text, parseSearchQuery(q)).html

/** A text as HTML must say it, by a table of its own. */
const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

describe('a highlight', () => {
  test.each([
    ['이 영화가 좋다', '영화', '이 <mark>영화</mark>가 좋다'],
    ['멜로영화', '로영', '멜<mark>로영</mark>화'],
    ['집에 간다', '집', '<mark>집</mark>에 간다'],
    ['빈집', '집', '빈<mark>집</mark>'],
    ['가나다라', '가나 나다', '<mark>가나다</mark>라'],
    ['영화영화', '영화', '<mark>영화영화</mark>'],
    ['The CAFÉ', 'cafe', 'The <mark>CAFÉ</mark>'],
    ['cafe\u0301!', 'café', '<mark>cafe\u0301</mark>!'],
    ['a quick, brown fox', '"quick brown"', 'a <mark>quick, brown</mark> fox'],
    ['I don’t', "don't", 'I <mark>don’t</mark>'],
    ['so 👍🏽!', '👍', 'so <mark>👍🏽</mark>!'],
    ['𝔘nicode', 'unicode', '<mark>𝔘nicode</mark>'],
    ['<b>"AT&T"</b>\'s', 't', '&lt;b&gt;&quot;AT&amp;<mark>T</mark>&quot;&lt;/b&gt;&#39;s'],
    ['<script>', 'script', '&lt;<mark>script</mark>&gt;'],
    ['nothing', 'else', 'nothing'],
    ['가나다라', '가나다라 나다', '<mark>가나다라</mark>'],
    ['가나다라', '나다 가나다라', '<mark>가나다라</mark>'],
    ['가나다라마', '가나다 다라마 나다', '<mark>가나다라마</mark>'],
    ['a b c d', '"a b c d" "b c"', '<mark>a b c d</mark>'],
    ['<b> <i>', '"b i"', '&lt;<mark>b&gt; &lt;i</mark>&gt;'],
    ['한국은 넓다', '한국의', '<mark>한국</mark>은 넓다'],
    ['한국인 한국의 것', '한국의', '한국인 <mark>한국의</mark> 것'],
    ['편의점에 편의를', '편의점에서', '<mark>편의점에</mark> 편의를'],
    ['two dogs', 'dog', 'two <mark>dogs</mark>'],
    ['two dogs, one dog', 'dog', 'two dogs, one <mark>dog</mark>'],
    ['שלום עולם', 'עולם', 'שלום <mark>עולם</mark>'],
    ['ﬁne', 'fine', '<mark>ﬁne</mark>'],
  ])('of %s by %s', (text, q, expected) => {
    expect(marked(text, q)).toBe(expected)
  })

  const markup = fc.constantFrom(
    '&',
    '<',
    '>',
    "'",
    '"',
    ' ',
    '👍',
    '👍🏽',
    '𠀀',
    '<mark>',
    '</mark>',
  )
  const letters = fc.constantFrom('가', '나', '다', 'a', 'b', 'é')
  const unit = fc.oneof(letters, markup)

  test('keeps the text, escaped within marks and without, and breaks no character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 30 }),
        fc.string({ unit, maxLength: 8 }),
        (original, q) => {
          const query = parseSearchQuery(q)
          const { html, matches } = highlight(original, query)
          expect(html.replaceAll(/<\/?mark>/g, '')).toBe(escaped(original))
          expect(html).toMatch(/^[^<>]*(<mark>[^<>]+<\/mark>[^<>]*)*$/)
          expect(html.isWellFormed()).toBe(true)
          expect(html).not.toContain('</mark><mark>')
          expect(matches).toBe(matchesQuery(original, query))
          if (matches) expect(html).toContain('<mark>')
        },
      ),
      { numRuns: 500 },
    )
  })

  test('marks each place of each word, and nothing else', () => {
    const run = (minLength: number, maxLength: number) =>
      fc.string({ unit: fc.constantFrom('가', '나', '다'), minLength, maxLength })
    const words = fc.array(run(2, 5), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(run(1, 8), { maxLength: 4 }), words, (texts, wanted) => {
        const text = texts.join(' ')
        const query = parseSearchQuery(wanted.join(' '))
        fc.pre(matchesQuery(text, query))
        const inMark = new Set<number>()
        for (const word of wanted) {
          for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
            for (let of = 0; of < word.length; of += 1) inMark.add(at + of)
          }
        }
        let expected = ''
        for (const [at, character] of [...text].entries()) {
          const mark = inMark.has(at) ? '<mark>' : ''
          expected += mark + character + (inMark.has(at) ? '</mark>' : '')
        }
        expect(highlight(text, query).html).toBe(expected.replaceAll('</mark><mark>', ''))
      }),
      { numRuns: 500 },
    )
  })

  test('has a mark wherever a form of each word may be', () => {
    const syllable = fc.constantFrom('한', '국', '의', ' ', 'L', 'dog', 's')
    const text = fc.string({ unit: syllable, maxLength: 10 })
    fc.assert(
      fc.property(text, text, (original, q) => {
        const { html, mayMatch, matches } = highlight(original, parseSearchQuery(q))
        expect(mayMatch || !matches).toBe(true)
        if (mayMatch) expect(html).toContain('<mark>')
      }),
      { numRuns: 500 },
    )
  })
})
