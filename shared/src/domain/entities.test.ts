import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { findEntities, mentionedIn, tagKey, tagKeysIn } from './entities'

/** What each entity covers, cut out by its places. */
function covered(text: string): string[] {
  const points = [...text]
  return findEntities(text).map(({ start, end }) => points.slice(start, end).join(''))
}

describe('mentions', () => {
  test.each([
    ['@ada', ['@ada']],
    ['hello @Ada_1, and @bob!', ['@Ada_1', '@bob']],
    ['@민지 @minji에게 👋 @minji', ['@minji', '@minji']],
    ['(@ada) "@bob" …@eve', ['@ada', '@bob', '@eve']],
    ['me@example.com', []],
    ['https://example.com/@ada', []],
    ['@ada@example.com', []],
    ['@@ada', []],
    ['@a', []],
    [`@${'x'.repeat(31)}`, []],
    ['a.@ada', []],
  ])('%s', (text, expected) => {
    expect(covered(text)).toEqual(expected)
  })

  test('count once, whatever their case', () => {
    expect(mentionedIn('@Ada @ada @ADA @bob')).toEqual(['ada', 'bob'])
  })
})

describe('hashtags', () => {
  test.each([
    ['#말 ＃말 #맛집_2', ['#말', '＃말', '#맛집_2']],
    ['(#tag) #Tag! #tag.', ['#tag', '#Tag', '#tag']],
    ['👩‍👩‍👧 #가족', ['#가족']],
    ['#2026 #_1 # #-', []],
    ['#2026년', ['#2026년']],
    ['C# a#b &#39; https://x/#part', []],
    ['#one#two', ['#one']],
    [`#${'가'.repeat(101)}`, []],
  ])('%s', (text, expected) => {
    expect(covered(text)).toEqual(expected)
  })

  test('are one where they differ in case or width alone', () => {
    expect(tagKeysIn('#Ｂｕｎ #bun #BUN #번')).toEqual(['bun', '번'])
    expect(tagKey('각')).toBe('각'.normalize('NFC'))
  })
})

test('places are in order, apart and inside the text, whatever it is', () => {
  const piece = fc.constantFrom(
    '@',
    '#',
    '＃',
    'ada',
    '말',
    '👋',
    ' ',
    '_',
    '1',
    '/',
    '.',
    '\u0301',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      const points = [...text]
      let last = 0
      for (const entity of findEntities(text)) {
        expect(entity.start).toBeGreaterThanOrEqual(last)
        const cut = points.slice(entity.start, entity.end).join('')
        expect(cut.slice(1)).toBe(entity.type === 'mention' ? entity.username : entity.tag)
        expect('@#＃').toContain(cut[0] ?? 'nothing')
        last = entity.end
      }
      expect(last).toBeLessThanOrEqual(points.length)
    }),
  )
})

test('a long text of nothing but signs takes no longer than its length', () => {
  expect(findEntities('@a'.repeat(1_000))).toEqual([])
  expect(findEntities(' @ada'.repeat(400))).toHaveLength(50)
})
