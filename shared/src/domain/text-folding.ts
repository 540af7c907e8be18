/**
 * The class of a piece of text in search.
 *
 * - `word`: letters and digits of scripts that put spaces between words
 * - `gram`: a syllable or character of a script that does not, or whose words carry particles
 * - `emoji`: a pictograph, whole
 * - `joiner`: an apostrophe
 * - `separator`: everything else
 */
export type UnitKind = 'word' | 'gram' | 'emoji' | 'joiner' | 'separator'

/**
 * Told of a folded character with its marks, or of several letters and digits of ASCII at once; where it stands in the
 * text (UTF-16, end exclusive), and where its first character ends. No object is made: indexing would make one for each
 * character of each text.
 */
export type OnFoldedUnit = (
  text: string,
  kind: UnitKind,
  start: number,
  end: number,
  firstEnd: number,
) => void

// A flag; or a character with all that attaches to it: marks, skin tones, half-width voicing marks
// and the later jamo of a decomposed Hangul syllable.
const CLUSTER =
  /[\u{1F1E6}-\u{1F1FF}]{2}|.(?:[\p{M}\uFF9E\uFF9F\u1160-\u11FF\uD7B0-\uD7FB]|[\u{1F3FB}-\u{1F3FF}])*/suy

/** Accents and optional signs: Latin, Greek and Cyrillic marks, Hebrew points, Arabic vowels, selectors. */
const ACCENTS =
  /[\u0300-\u036F]|[\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7]|[\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED]|[\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]|[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/gu

/** Letters that have no decomposition but that a reader takes for an accented one. */
const STROKES: Readonly<Record<string, string>> = {
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ħ: 'h',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
  // What is left of ẞ, which alone of all letters has no upper case to fold by.
  ß: 'ss',
}

// The time to normalise grows with the square of a run of marks, so longer runs are split.
const PIECE_MAX = 32
const PIECES = new RegExp(`.{1,${PIECE_MAX}}`, 'gsu')

const PICTOGRAPH = /^(?:[\u{1F1E6}-\u{1F1FF}]{2}|\p{Extended_Pictographic})/u
const SIGN = /^[©®™]/u
const JAMO = /^[\u3131-\u318E]/u
const UNIT = /\P{M}\p{M}*|\p{M}+/gu
const TEXTUAL = /^[\p{L}\p{N}\p{M}]/u
/** A character of a script without spaces between words, or whose words carry particles: the source of a pattern. */
export const UNSPACED_SCRIPT =
  '[\\p{scx=Hangul}\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Bopomofo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}]'
const UNSPACED = new RegExp(`^${UNSPACED_SCRIPT}`, 'u')
const APOSTROPHE = /^['\u2018\u2019\u02BB\u02BC]/u
/** Format characters are ignored; only the zero-width space separates. */
const INVISIBLE = /^(?!\u200B)\p{Cf}/u

/**
 * Folds case, accents and width away (NFKD, marks dropped, recomposed, upper then lower case, which is
 * full case folding for what is left), unit by unit, so that every unit knows where it came from.
 */
export function foldText(text: string, onUnit: OnFoldedUnit): void {
  let at = 0
  while (at < text.length) {
    const wordEnd = plainWordEnd(text, at)
    if (wordEnd > at) {
      onUnit(text.slice(at, wordEnd).toLowerCase(), 'word', at, wordEnd, at + 1)
      at = wordEnd
      continue
    }
    const code = text.charCodeAt(at)
    if (isPlain(code) && isPlainNeighbour(text.charCodeAt(at + 1))) {
      onUnit(text.charAt(at), plainKind(code), at, at + 1, at + 1)
      at += 1
      continue
    }
    CLUSTER.lastIndex = at
    const cluster = CLUSTER.exec(text)?.[0] ?? text.charAt(at)
    foldCluster(cluster, at, onUnit)
    at += cluster.length
  }
}

/** A text folded as search folds it, as one string of at most `max` code points. */
export function foldedPrefix(text: string, max: number): string {
  let folded = ''
  for (let at = 0; at < text.length && folded.length < 2 * max; at = CLUSTER.lastIndex) {
    CLUSTER.lastIndex = at
    const cluster = CLUSTER.exec(text)?.[0] ?? ''
    if (!INVISIBLE.test(cluster)) folded += fold(cluster)
  }
  return [...folded].slice(0, max).join('')
}

/** Where a run of ASCII letters and digits ends; a last one that something attaches to is left out. */
function plainWordEnd(text: string, start: number): number {
  let end = start
  while (isPlainWord(text.charCodeAt(end))) end += 1
  return isPlainNeighbour(text.charCodeAt(end)) ? end : end - 1
}

function isPlainWord(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39)
  )
}

function isPlain(code: number): boolean {
  return code < 0x80 || isSyllable(code)
}

/** Whether a code unit (NaN at the end) can't attach to the character before it. */
function isPlainNeighbour(code: number): boolean {
  return !(code >= 0x300) || isSyllable(code)
}

function isSyllable(code: number): boolean {
  return code >= 0xac00 && code <= 0xd7a3
}

function plainKind(code: number): UnitKind {
  if (isSyllable(code)) return 'gram'
  return code === 0x27 ? 'joiner' : 'separator'
}

interface Unit {
  readonly text: string
  readonly kind: UnitKind
}

/** What clusters fold to, as few differ in a text: one alone may become eighteen characters. */
const unitsByCluster = new Map<string, readonly Unit[]>()
const CLUSTERS_MAX = 4_096
/** Longer ones are rare and many. */
const CLUSTER_LENGTH_MAX = 4

function foldCluster(cluster: string, start: number, onUnit: OnFoldedUnit): void {
  const end = start + cluster.length
  for (const { text, kind } of unitsByCluster.get(cluster) ?? learnUnits(cluster)) {
    onUnit(text, kind, start, end, end)
  }
}

function learnUnits(cluster: string): readonly Unit[] {
  const units = unitsOf(cluster)
  if (cluster.length <= CLUSTER_LENGTH_MAX) {
    if (unitsByCluster.size >= CLUSTERS_MAX) unitsByCluster.clear()
    unitsByCluster.set(cluster, units)
  }
  return units
}

function unitsOf(cluster: string): readonly Unit[] {
  if (INVISIBLE.test(cluster)) return []
  if (SIGN.test(cluster)) return [{ text: cluster, kind: 'separator' }]
  const pictograph = PICTOGRAPH.exec(cluster)?.[0]
  if (pictograph !== undefined) return [{ text: pictograph, kind: 'emoji' }]
  return (fold(cluster).match(UNIT) ?? []).map((text) => ({ text, kind: kindOf(text) }))
}

function fold(cluster: string): string {
  // Compatibility would turn a lone ㅋ into a half of a syllable.
  if (JAMO.test(cluster)) return cluster.charAt(0)
  const folded =
    cluster.length <= PIECE_MAX
      ? normalized(cluster)
      : (cluster.match(PIECES) ?? []).map(normalized).join('')
  const lower = folded.toUpperCase().toLowerCase()
  return STROKES[lower] ?? lower
}

function normalized(text: string): string {
  return text.normalize('NFKD').replace(ACCENTS, '').normalize('NFC')
}

function kindOf(unit: string): UnitKind {
  if (APOSTROPHE.test(unit)) return 'joiner'
  if (!TEXTUAL.test(unit)) return 'separator'
  return UNSPACED.test(unit) ? 'gram' : 'word'
}
