export type TextProblem =
  | 'blank'
  | 'too_long'
  | 'control_character'
  | 'lone_surrogate'
  | 'long_mark_run'

type TextResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: TextProblem }

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/

/**
 * Combining marks that may follow one another (UAX #15, stream-safe text). To normalise a longer run
 * takes time that grows with the square of its length.
 */
export const MARK_RUN_MAX = 30

// Half-width voicing marks are letters that folding makes marks of.
const LONG_MARK_RUN = new RegExp(`[\\p{M}\\uFF9E\\uFF9F]{${MARK_RUN_MAX + 1}}`, 'u')

/** The most UTF-16 units that one character of a composed text can come from, and some to spare. */
const UNITS_PER_CHARACTER = 8

/** Why a text must not be normalised, or null. */
export function normalizingProblem(
  input: string,
  maxCodePoints: number,
): 'too_long' | 'long_mark_run' | null {
  if (input.length > maxCodePoints * UNITS_PER_CHARACTER) return 'too_long'
  return LONG_MARK_RUN.test(input) ? 'long_mark_run' : null
}

/**
 * Characters that are drawn empty, white space aside; the source of a class of a pattern: what Unicode says may be ignored
 * (fillers, selectors, joiners), and blanks of Braille, hieroglyphs, Khitan and music.
 */
export const UNSEEN =
  '\\p{Default_Ignorable_Code_Point}\\u2800\\u{13441}\\u{13442}\\u{16FE4}\\u{1D159}'
const NOTHING_SEEN = new RegExp(`^[\\p{White_Space}\\p{Cf}${UNSEEN}]*$`, 'u')

/** Whether a reader sees nothing of a text: all of it is white space, format characters or drawn empty. */
export function showsNothing(text: string): boolean {
  return NOTHING_SEEN.test(text)
}

/**
 * What a person may write: something that shows, NFC, lone surrogates, control characters (other than newline and tab) and
 * more than `MARK_RUN_MAX` combining marks in a row refused, `\r\n` made `\n`, outer white space
 * trimmed. Lengths count code points.
 */
export function cleanText(input: string, maxCodePoints: number): TextResult {
  if (!input.isWellFormed()) return { ok: false, problem: 'lone_surrogate' }
  const trimmed = input.replace(/\r\n?/g, '\n').trim()
  const problem = normalizingProblem(trimmed, maxCodePoints)
  if (problem !== null) return { ok: false, problem }
  const text = trimmed.normalize('NFC')
  if (CONTROL.test(text)) return { ok: false, problem: 'control_character' }
  if (showsNothing(text)) return { ok: false, problem: 'blank' }
  if (text.length > maxCodePoints && [...text].length > maxCodePoints) {
    return { ok: false, problem: 'too_long' }
  }
  return { ok: true, text }
}
