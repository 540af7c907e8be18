import { phraseAt, type SearchQuery } from './search-query'
import { searchTerms } from './search-terms'

/** A stretch of a text, UTF-16 indices, end exclusive. */
export interface TextRange {
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

/** The text as HTML: what matches in `<mark>`, everything escaped. */
export function highlight(text: string, query: SearchQuery): string {
  return markRanges(text, matchRanges(text, query))
}

/** Where the phrases of a query stand in a text; in no particular order, may overlap. */
export function matchRanges(text: string, query: SearchQuery): TextRange[] {
  const terms = searchTerms(text)
  const ranges: TextRange[] = []
  for (const phrase of query.phrases) {
    for (const [at, first] of terms.entries()) {
      if (!phraseAt(terms, at, phrase)) continue
      const last = terms[at + phrase.terms.length - 1] ?? first
      const isPart = phrase.prefix && last.kind === 'gram'
      ranges.push({ start: first.start, end: isPart ? last.firstEnd : last.end })
    }
  }
  return ranges
}

/** Marks ranges, those that overlap or touch as one. */
export function markRanges(text: string, ranges: readonly TextRange[]): string {
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
