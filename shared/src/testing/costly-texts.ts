/** What programs have been slow at, by what it is made of, repeated to about so many bytes of UTF-8. */
const PIECES: Readonly<Record<string, string>> = {
  'marks in the wrong order': '\u0315\u0316',
  'marks that decompose': '\u0344',
  'marks of many classes': '\u0300\u0345\u05b0\u064b\u0e38\u3099',
  'letters with as many marks as may be': `a${'\u0316\u0315'.repeat(15)}`,
  'half-width voicing marks': '\uff9e',
  'a ligature of eighteen characters': '\ufdfa',
  'ligatures that case makes longer': '\ufb03\u0149\u0390',
  'leading jamo': '\u1100',
  'jamo of a syllable': '\u1112\u1161\u11ab',
  'joined emoji': '\u{1f469}\u200d',
  flags: '\u{1f1f0}',
  'variation selectors': '\ufe0f',
  'what cannot be seen': '\u200b\u3164\u2800',
  'halves of surrogate pairs': '\ud800',
  'opening brackets': '[',
  'opening braces': '{',
  'opening parentheses': '(',
  'double quotes': '"',
  'quoted letters': '"a" ',
  'single quotes': "'",
  backslashes: '\\',
  'opening angles': '<',
  ampersands: '&',
  'percent signs': '%',
  spaces: ' ',
  'line ends': '\r\n',
  'null characters': '\0',
  mentions: '@ab ',
  'at signs': '@',
  hashtags: '#a ',
  'number signs': '#',
  'addresses of pages': 'http://a.b/',
  dots: 'a.',
  commas: ',',
  digits: '9',
  zeros: '0',
  'dashes and colons': '2026-',
  'one syllable of a script without spaces': '가',
  'words of one letter': 'a ',
}

export interface CostlyText {
  readonly name: string
  /** At most so many bytes of UTF-8. */
  readonly text: (bytes: number) => string
}

export const COSTLY_TEXTS: readonly CostlyText[] = Object.entries(PIECES).map(([name, piece]) => ({
  name,
  text: (bytes) => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece))),
}))
