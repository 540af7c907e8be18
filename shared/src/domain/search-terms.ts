import { type FoldedUnit, foldText } from './text-folding'

/**
 * A term of the index.
 *
 * Words and emoji are terms as they stand. A run ABC of a script without spaces (Korean is treated as
 * one, since particles hang on its nouns) becomes the overlapping pairs AB, BC (`gram`) and its last
 * character C (`tail`). So every substring of a run, of any length, is a phrase of its pairs or, from
 * one character, a prefix of one term; and the tail keeps a phrase from reaching into the next run.
 */
export interface SearchTerm {
  readonly text: string
  readonly kind: 'word' | 'gram' | 'tail' | 'emoji'
  /** Where it stands in the original text, UTF-16, end exclusive. */
  readonly start: number
  readonly end: number
  /** Where its first character ends. */
  readonly firstEnd: number
  /** Nothing, or only an apostrophe, stands between it and the term before. */
  readonly joined: boolean
}

/** Longer words are cut, in the index as in queries. Code points. */
export const TERM_LENGTH_MAX = 64

/**
 * Which way of making terms an index was built with. Raise it with every change to folding or terms:
 * an index of another version has to be built anew.
 */
export const SEARCH_TERMS_VERSION = 1

/** The terms of a text, in order. */
export function searchTerms(text: string): SearchTerm[] {
  const terms: SearchTerm[] = []
  const units = foldText(text)
  let joined = false
  let at = 0
  while (at < units.length) {
    const unit = units[at]
    if (unit === undefined) break
    const run = runFrom(units, at, unit)
    at += run.length
    if (unit.kind === 'separator') {
      joined = false
    } else if (unit.kind === 'joiner') {
      joined = joined && run.length === 1 && units[at]?.kind === 'word'
    } else {
      pushTerms(unit.kind, run, joined && unit.kind !== 'emoji', terms)
      joined = unit.kind !== 'emoji'
    }
  }
  return terms
}

/** The terms as one text with spaces between, as the indexes take them. */
export function termText(terms: readonly SearchTerm[]): string {
  return terms.map((term) => term.text).join(' ')
}

function runFrom(units: readonly FoldedUnit[], from: number, first: FoldedUnit): FoldedUnit[] {
  let to = from + 1
  if (first.kind !== 'emoji') while (units[to]?.kind === first.kind) to += 1
  return units.slice(from, to)
}

function pushTerms(
  kind: 'word' | 'gram' | 'emoji',
  run: readonly FoldedUnit[],
  joined: boolean,
  terms: SearchTerm[],
): void {
  const first = run[0]
  const last = run.at(-1)
  if (first === undefined || last === undefined) return
  if (kind !== 'gram') {
    const text = cut(run.map((unit) => unit.text).join(''))
    const { start, end: firstEnd } = first
    terms.push({ text, kind, start, end: last.end, firstEnd, joined })
    return
  }
  for (let index = 0; index < run.length; index += 1) {
    const unit = run[index] as FoldedUnit
    const next = run[index + 1]
    terms.push({
      text: unit.text + (next?.text ?? ''),
      kind: next === undefined ? 'tail' : 'gram',
      start: unit.start,
      end: (next ?? unit).end,
      firstEnd: unit.end,
      joined: index > 0 || joined,
    })
  }
}

function cut(word: string): string {
  if (word.length <= TERM_LENGTH_MAX) return word
  return [...word].slice(0, TERM_LENGTH_MAX).join('')
}
