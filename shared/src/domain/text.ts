export type TextProblem = 'blank' | 'too_long' | 'control_character' | 'lone_surrogate'

type TextResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: TextProblem }

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/

/**
 * What a person may write: NFC, lone surrogates and control characters (other than newline and tab)
 * refused, `\r\n` made `\n`, outer white space trimmed. Lengths count code points.
 */
export function cleanText(input: string, maxCodePoints: number): TextResult {
  if (!input.isWellFormed()) return { ok: false, problem: 'lone_surrogate' }
  const text = input.replace(/\r\n?/g, '\n').normalize('NFC').trim()
  if (CONTROL.test(text)) return { ok: false, problem: 'control_character' }
  // Invisible on its own: format characters and white space do not make a text.
  if (/^[\p{Cf}\p{White_Space}]*$/u.test(text)) return { ok: false, problem: 'blank' }
  if (text.length > maxCodePoints && [...text].length > maxCodePoints) {
    return { ok: false, problem: 'too_long' }
  }
  return { ok: true, text }
}
