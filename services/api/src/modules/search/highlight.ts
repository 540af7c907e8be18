import {
  formAt,
  phraseAt,
  type QueryPhrase,
  type SearchQuery,
} from '@sns/shared/domain/search-query'
import { type SearchTerm, searchTerms } from '@sns/shared/domain/search-terms'

/** A range of a text in UTF-16 indices, end exclusive. */
interface TextRange {
  readonly start: number
  readonly end: number
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export interface Highlight {
  /** Whether every phrase of the query is in the text. */
  readonly matches: boolean
  /** Whether each is there, or may be by a language's rules: only an index can tell. */
  readonly mayMatch: boolean
  /** The text as escaped HTML, with the phrases in `<mark>`. */
  readonly html: string
}

/**
 * Finds the phrases of a query in a text. The work grows with the text's length times the query's
 * terms.
 */
export function highlight(text: string, { phrases }: SearchQuery): Highlight {
  const terms = searchTerms(text)
  const places = phrases.map((phrase) => placesOf(phrase, terms))
  // Forms are marked only where the word itself is not there.
  const shown = places.map((ranges, at) =>
    ranges.length > 0 ? ranges : formPlacesOf(phrases[at] as QueryPhrase, terms),
  )
  return {
    matches: places.length > 0 && places.every((ranges) => ranges.length > 0),
    mayMatch: shown.length > 0 && shown.every((ranges) => ranges.length > 0),
    html: markRanges(text, shown.flat()),
  }
}

/** The places that have most of the phrase; may overlap. */
function formPlacesOf(phrase: QueryPhrase, terms: readonly SearchTerm[]): TextRange[] {
  let most = 1
  let ranges: TextRange[] = []
  for (let at = 0; at < terms.length; at += 1) {
    const length = formAt(terms, at, phrase)
    if (length < most) continue
    if (length > most) ranges = []
    most = length
    const [first, last] = [terms[at] as SearchTerm, terms[at + length - 1] as SearchTerm]
    ranges.push({ start: first.start, end: last.end })
  }
  return ranges
}

/** May overlap. */
function placesOf(phrase: QueryPhrase, terms: readonly SearchTerm[]): TextRange[] {
  const ranges: TextRange[] = []
  for (let at = 0; at < terms.length; at += 1) {
    const first = terms[at] as SearchTerm
    if (!phraseAt(terms, at, phrase)) continue
    const last = terms[at + phrase.terms.length - 1] ?? first
    const isPart = phrase.prefix && last.kind === 'gram'
    ranges.push({ start: first.start, end: isPart ? last.firstEnd : last.end })
  }
  return ranges
}

/** Marks ranges, those that overlap or touch as one. */
function markRanges(text: string, ranges: readonly TextRange[]): string {
  let html = ''
  let at = 0
  for (const { start, end } of merged(ranges)) {
    html += `${escapeHtml(text.slice(at, start))}<mark>${escapeHtml(text.slice(start, end))}</mark>`
    at = end
  }
  return html + escapeHtml(text.slice(at))
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

function merged(ranges: readonly TextRange[]): TextRange[] {
  const result: TextRange[] = []
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && range.start <= last.end) {
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
    } else {
      result.push(range)
    }
  }
  return result
}
