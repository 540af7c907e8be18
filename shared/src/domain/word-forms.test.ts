import { describe, expect, test } from 'bun:test'
import { formAt, parseSearchQuery, type QueryPhrase } from './search-query'
import { searchTerms } from './search-terms'

const phraseOf = (q: string) => parseSearchQuery(q).phrases[0] as QueryPhrase
const formsOf = (q: string) => phraseOf(q).forms

describe('the forms of a word', () => {
  test.each<[string, ReturnType<typeof formsOf>]>([
    ['dog', { kind: 'english', last: ['dog', 'dogs'] }],
    ['Dogs', { kind: 'english', last: ['dog', 'dogs'] }],
    ['city', { kind: 'english', last: ['city', 'citys', 'cities'] }],
    ['cities', { kind: 'english', last: ['city', 'citys', 'cities'] }],
    ['heroes', null],
    ['bus', null],
    ['his', null],
    ['ga', null],
    ['24', null],
    ['한국', null],
    ['집', null],
    ['한국의', { kind: 'korean', shared: 1 }],
    ['편의점에서', { kind: 'korean', shared: 1 }],
    ['LG전자', null],
    ['LG전자는', { kind: 'korean', shared: 2 }],
    ['예스24', null],
    ['3월', null],
    ['食べる', null],
    ['"한국의"', null],
  ])('%s', (q, forms) => {
    expect(formsOf(q)).toEqual(forms)
  })

  test.each([
    ['한국의', '한국 역사', 1],
    ['한국의', '한구석', 0],
    ['사랑했다', '사랑하는', 1],
    ['LG전자는', 'LG전자가', 2],
    ['LG전자는', '전자 LG', 0],
    ['dog', 'dogs', 1],
    ['dog', 'doge', 0],
    ["don't", 'don t', 0],
  ])('%s is said in %s by %d terms', (q, text, terms) => {
    expect(formAt(searchTerms(text), 0, phraseOf(q))).toBe(terms)
  })
})
