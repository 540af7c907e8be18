import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { disorderedMarks } from '../testing/awkward-texts'
import { normalizingWork, STEPS_PER_UNIT } from '../testing/normalizing-work'
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

  const UNSEEN = [
    ...[
      '\u3164',
      '\u2800',
      '\ufe0f',
      '\u034f',
      '\u17b5',
      '\u115f',
      '\uffa0',
      '\u200b',
      '\u200d',
      '\u00ad',
    ],
    ...[
      '\u2060',
      '\ufeff',
      '\u202e',
      '\u061c',
      '\u180e',
      '\u{e0041}',
      '\u{e0100}',
      '\ufff9',
      '\u2064',
    ],
    ...[
      '\u{1d159}',
      '\u{16fe4}',
      '\u{13441}',
      ' ',
      '\n',
      '\u3000',
      '\u00a0',
      '\u2028',
      '\u1160',
      '\u180f',
    ],
  ]
  test.each(UNSEEN.map((each) => [each.codePointAt(0)?.toString(16), each] as const))(
    'is refused where all that it holds is U+%s',
    (_, unseen) => {
      expect(cleanText(unseen, MAX)).toEqual({ ok: false, problem: 'blank' })
      expect(cleanText(unseen.repeat(20), MAX)).toEqual({ ok: false, problem: 'blank' })
      expect(cleanText(`${unseen}a`, MAX).ok).toBeTrue()
    },
  )

  test('is refused where it shows nothing, whatever the combination', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...UNSEEN), { maxLength: 20 }), (unseen) => {
        expect(cleanText(unseen.join(''), MAX)).toEqual({ ok: false, problem: 'blank' })
      }),
    )
  })

  test.each(['.', '⠓', '👍', '❤️', 'ㅋ', '\u0301', '\u20e3', '−', '가\u3164', '𓀀', 'ー'])(
    'may be %s',
    (text) => {
      expect(cleanText(text, MAX).ok).toBeTrue()
    },
  )

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
    'of %p KiB of marks takes steps by its length, not by its square',
    async (kib) => {
      const marks = disorderedMarks(kib * 1024)
      const steps = await normalizingWork(() => cleanText(marks, MAX))
      expect(steps).toBeLessThan(STEPS_PER_UNIT * marks.length)
    },
  )
})
