import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { disorderedMarks } from '../testing/awkward-texts'
import { workRatio } from '../testing/work-ratio'
import { cleanText } from './text'

const MAX = 2_000

describe('a text that somebody writes', () => {
  test.each([
    ['at the length limit, decomposed', '각'.normalize('NFD').repeat(MAX), '각'.repeat(MAX)],
    ['of letters that decompose into four', 'ᾂ'.normalize('NFD').repeat(MAX), 'ᾂ'.repeat(MAX)],
    ['of musical notes, which never compose', '𝅘𝅥𝅲'.repeat(10), '𝅘𝅥𝅲'.normalize('NFC').repeat(10)],
    ['with thirty marks on a letter', `x${'\u0323'.repeat(30)}`, `x${'\u0323'.repeat(30)}`],
    ['within much white space', `${' '.repeat(60_000)}x${'\n'.repeat(1_000)}`, 'x'],
  ])('may be one %s', (_, input, text) => {
    expect(cleanText(input, MAX)).toEqual({ ok: true, text })
  })

  test.each([
    ['too_long', 'x'.repeat(MAX + 1)],
    ['too_long', disorderedMarks(64 * 1024)],
    ['long_mark_run', `x${'\u0316'.repeat(31)}`],
    ['long_mark_run', `x${'\u0315\u0316'.repeat(16)}`],
    ['long_mark_run', `か${'\uff9e\u0316'.repeat(16)}`],
  ])('is refused as %s', (problem, input) => {
    expect(cleanText(input, MAX)).toEqual({ ok: false, problem: problem as never })
  })

  test('is refused for its length exactly where its characters, composed, are too many', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), (input) => {
        const isShort = [...input.normalize('NFC').trim()].length <= 6
        const decomposed = cleanText(input.normalize('NFD'), 6)
        expect(decomposed.ok || decomposed.problem !== 'too_long').toBe(isShort)
      }),
    )
  })

  test.each([64, 8, 4, 2, 1])(
    'costs about the same whether its %p KiB are marks or letters',
    async (kib) => {
      const marks = disorderedMarks(kib * 1024)
      const letters = 'é'.normalize('NFD').repeat(marks.length / 2)
      const clean = (text: string) => () => {
        for (let at = 0; at < 20; at += 1) cleanText(text, MAX)
      }
      expect(await workRatio(clean(marks), clean(letters))).toBeLessThan(20)
    },
  )
})
