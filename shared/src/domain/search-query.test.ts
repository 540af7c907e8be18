import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesQuery, parseSearchQuery, parseUserQuery, QUERY_TERMS_MAX } from './search-query'

const shown = (q: string) =>
  parseSearchQuery(q).phrases.map((phrase) => phrase.terms.join('+') + (phrase.prefix ? '*' : ''))
const matches = (text: string, q: string) => matchesQuery(text, parseSearchQuery(q))

describe('a query', () => {
  test.each<[string, string[]]>([
    ['hello world', ['hello', 'world']],
    ['"hello world" again', ['hello+world', 'again']],
    ['“hello world” again', ['hello+world', 'again']],
    ['an "open end', ['an', 'open', 'end']],
    ['"a" "b c', ['a', 'b', 'c']],
    ['""', []],
    ['영화', ['영화']],
    ['영화관', ['영화+화관']],
    ['집', ['집*']],
    ['"그 영화 봐"', ['그+영화+화+봐*']],
    ['LG전자 2024년', ['lg+전자', '2024+년*']],
    ["don't", ['don+t']],
    ['same same SAME', ['same']],
    ['NEAR(a b) OR -c d:e ^f g*', ['near', 'a', 'b', 'or', 'c', 'd', 'e', 'f', 'g']],
    ['👍👍 👍', ['👍']],
  ])('reads %s', (q, expected) => {
    expect(shown(q)).toEqual(expected)
  })

  test('has no phrase where there is nothing to look for', () => {
    for (const q of ['', '  ', '!!!', '" "', '\\', '***', '\u200D']) expect(shown(q)).toEqual([])
  })

  test('is bounded', () => {
    const many = Array.from({ length: 500 }, (_, index) => `w${index}`).join(' ')
    expect(shown(many)).toHaveLength(QUERY_TERMS_MAX)
    const long = parseSearchQuery(`"${many}"`).phrases
    expect(long.map((phrase) => phrase.terms.length)).toEqual([QUERY_TERMS_MAX])
  })
})

test('a phrase keeps what was typed', () => {
  const { phrases } = parseSearchQuery('영화관에 "LG  전자"')
  expect(phrases.map(({ text, quoted }) => [text, quoted])).toEqual([
    ['영화관에', false],
    ['LG  전자', true],
  ])
})

describe('matching', () => {
  test.each<[string, string, boolean]>([
    ['이 영화가 좋다', '영화', true],
    ['이 영화에서도', '영화', true],
    ['멜로영화를 봤다', '영화', true],
    ['멜로영화를 봤다', '멜로영화', true],
    ['영 화가', '영화', false],
    ['가나 나다', '가나다', false],
    ['가나다', '가나다', true],
    ['빈집에서', '집', true],
    ['우리 집은', '집', true],
    ['가나다', '다', true],
    ['LG전자는 좋다', 'LG', true],
    ['LG전자는 좋다', 'lg전자', true],
    ['전자 LG', 'LG전자', false],
    ['movies', 'movie', false],
    ['The Café', 'cafe', true],
    ['quick brown fox', '"quick brown"', true],
    ['quick, BROWN fox', '"quick brown"', true],
    ['brown quick', '"quick brown"', false],
    ['brown quick', 'quick brown', true],
    ['quick', 'quick brown', false],
    ['그 영화 봐요', '"그 영화 봐"', true],
    ['그 영화를 봐요', '"그 영화 봐"', false],
    ['최고의 멜로영화다', '"최고의 멜로"', true],
    ['I don’t know', "don't", true],
    ["Tom's cabin", 'tom', true],
    ['anything', '', false],
  ])('%s by %s: %p', (text, q, expected) => {
    expect(matches(text, q)).toBe(expected)
  })

  test('finds a run of any length wherever it stands in a longer one, and only there', () => {
    const run = fc.string({ unit: fc.constantFrom('가', '나', '다'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(run, { maxLength: 4 }), run, (words, wanted) => {
        expect(matches(words.join(' '), wanted)).toBe(words.some((word) => word.includes(wanted)))
      }),
    )
  })

  test('finds quoted runs where the text, spaces evened out, holds them', () => {
    const run = fc.string({ unit: fc.constantFrom('가', '나'), minLength: 1, maxLength: 3 })
    const runs = fc.array(run, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(runs, runs, (words, wanted) => {
        const found = matches(words.join(', '), `"${wanted.join('  ')}"`)
        expect(found).toBe(words.join(' ').includes(wanted.join(' ')))
      }),
    )
  })
})

describe('a query for people', () => {
  const read = (q: string) => {
    const { username, name } = parseUserQuery(q)
    return [username, ...name.phrases.map((phrase) => phrase.terms + (phrase.prefix ? '*' : ''))]
  }

  test.each<[string, (string | null)[]]>([
    [' Kim_ ', ['kim_', 'kim*']],
    ['@Kim_', ['kim_']],
    ['@김', [null, '김*']],
    ['김 철수', [null, '김*', '철수*']],
    ['ann lee', [null, 'ann', 'lee*']],
    ['__', ['__']],
    [' ! ', [null]],
  ])('reads %s', (q, expected) => {
    expect(read(q)).toEqual(expected)
  })
})
