import { describe, expect, test } from 'bun:test'
import { matchesQuery, parseSearchQuery } from '@sns/shared/domain/search-query'
import fc from 'fast-check'
import { highlight } from './highlight'

const marked = (text: string, q: string) => highlight(text, parseSearchQuery(q)).html

const unmarked = (html: string) =>
  html
    .replace(/<\/?mark>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')

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
    ['שלום עולם', 'עולם', 'שלום <mark>עולם</mark>'],
    ['ﬁne', 'fine', '<mark>ﬁne</mark>'],
  ])('of %s by %s', (text, q, expected) => {
    expect(marked(text, q)).toBe(expected)
  })

  test('keeps the text, breaks no character and marks exactly what matches', () => {
    const unit = fc.constantFrom(
      '가',
      '나',
      'a',
      'b',
      'é',
      '&',
      '<',
      "'",
      '"',
      ' ',
      '👍',
      '👍🏽',
      '𠀀',
    )
    const text = fc.string({ unit, maxLength: 30 })
    fc.assert(
      fc.property(text, fc.string({ unit, maxLength: 4 }), (original, q) => {
        const query = parseSearchQuery(q)
        const { html, matches } = highlight(original, query)
        expect(unmarked(html)).toBe(original)
        expect(html.isWellFormed()).toBe(true)
        expect(html).not.toContain('</mark><mark>')
        expect(matches).toBe(matchesQuery(original, query))
        if (matches) expect(html).toContain('<mark>')
      }),
      { numRuns: 500 },
    )
  })
})
