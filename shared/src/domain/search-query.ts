import { type SearchTerm, searchTerms } from './search-terms'
import { type WordForms, wordForms } from './word-forms'

/** Terms that must follow one another; a single word is a phrase of one. */
export interface QueryPhrase {
  readonly terms: readonly string[]
  /** What the user typed for it, without quotes. */
  readonly text: string
  readonly quoted: boolean
  /** The last term stands for every term that starts with it. */
  readonly prefix: boolean
  /** What else a language's rules may find for it; null where they add nothing, and of quoted phrases. */
  readonly forms: WordForms | null
}

/** All phrases must match. Without any, the query has nothing to look for. */
export interface SearchQuery {
  readonly phrases: readonly QueryPhrase[]
}

export interface UserQuery {
  /** Lower case; null where the query can't start a username. */
  readonly username: string | null
  /** Words of a display name; the last one may be unfinished. */
  readonly name: SearchQuery
}

/** Terms past this many are not looked for. */
export const QUERY_TERMS_MAX = 64

const QUOTES = /["\u201C\u201D\u201E\uFF02]/u

/**
 * Reads what a user typed. The whole grammar: words, and `"quoted phrases"` (straight or curly). A quote
 * without its partner is a separator, like every other character that is not part of a term; there are
 * no operators. Words glued together (`LG전자`, `don't`) must stand together in the text.
 */
export function parseSearchQuery(q: string): SearchQuery {
  const parts = q.split(QUOTES)
  const phrases: QueryPhrase[] = []
  for (const [index, part] of parts.entries()) {
    const quoted = index % 2 === 1 && index < parts.length - 1
    const terms = searchTerms(part)
    const groups = quoted ? [terms] : groupJoined(terms)
    phrases.push(...groups.map((group) => toPhrase(part, group, quoted)))
  }
  return { phrases: bound(phrases) }
}

/** Reads what a user typed to find people: after an `@` only a username is meant, if it can be one. */
export function parseUserQuery(q: string): UserQuery {
  const name = q.trim().replace(/^@/, '')
  const username = /^[A-Za-z0-9_]{1,30}$/.test(name) ? name.toLowerCase() : null
  if (username !== null && name !== q.trim()) return { username, name: { phrases: [] } }
  const { phrases } = parseSearchQuery(name)
  return {
    username,
    name: {
      phrases: phrases.map((phrase, index) =>
        index === phrases.length - 1 ? { ...phrase, prefix: true } : phrase,
      ),
    },
  }
}

/** What it means to match: the reference that every index is held against. */
export function matchesQuery(text: string, query: SearchQuery): boolean {
  const terms = searchTerms(text)
  return (
    query.phrases.length > 0 &&
    query.phrases.every((phrase) => terms.some((_, at) => phraseAt(terms, at, phrase)))
  )
}

/** Whether a phrase stands in `terms` from index `at` on. */
export function phraseAt(terms: readonly SearchTerm[], at: number, phrase: QueryPhrase): boolean {
  const last = phrase.terms.length - 1
  for (let index = 0; index <= last; index += 1) {
    const wanted = phrase.terms[index] as string
    const found = terms[at + index]?.text
    if (phrase.prefix && index === last) return found?.startsWith(wanted) === true
    if (found !== wanted) return false
  }
  return true
}

/**
 * How many terms, from index `at` on, say a form of the phrase; 0 where none is there. Morphology decides whether such a
 * place is one: this is what every form that it may find has in common.
 */
export function formAt(terms: readonly SearchTerm[], at: number, phrase: QueryPhrase): number {
  const { forms } = phrase
  if (forms === null) return 0
  let same = 0
  while (same < phrase.terms.length && terms[at + same]?.text === phrase.terms[same]) same += 1
  if (forms.kind === 'korean') return same >= forms.shared ? same : 0
  const last = phrase.terms.length - 1
  return same >= last && forms.last.includes(terms[at + last]?.text ?? '') ? last + 1 : 0
}

function groupJoined(terms: readonly SearchTerm[]): SearchTerm[][] {
  const groups: SearchTerm[][] = []
  for (const term of terms) {
    const group = groups.at(-1)
    if (term.joined && group !== undefined) group.push(term)
    else groups.push([term])
  }
  return groups
}

/**
 * The run that ends a query phrase may go on in the text (a particle, a compound): its tail is not
 * asked for; where the tail is all there is, it may begin a pair.
 */
function toPhrase(part: string, group: readonly SearchTerm[], quoted: boolean): QueryPhrase {
  const text = part.slice(group[0]?.start, group.at(-1)?.end)
  const terms = group.map((term) => term.text)
  const forms = quoted ? null : wordForms(group)
  if (group.at(-1)?.kind !== 'tail') return { terms, text, quoted, prefix: false, forms }
  if (group.at(-2)?.kind === 'gram') {
    return { terms: terms.slice(0, -1), text, quoted, prefix: false, forms }
  }
  return { terms, text, quoted, prefix: true, forms }
}

function bound(phrases: readonly QueryPhrase[]): QueryPhrase[] {
  const seen = new Map<string, QueryPhrase>()
  let left = QUERY_TERMS_MAX
  for (const phrase of phrases) {
    const key = JSON.stringify([phrase.terms, phrase.prefix])
    if (phrase.terms.length === 0 || seen.has(key)) continue
    if (left <= 0) break
    seen.set(
      key,
      phrase.terms.length <= left
        ? phrase
        : { ...phrase, terms: phrase.terms.slice(0, left), prefix: false, forms: null },
    )
    left -= phrase.terms.length
  }
  return [...seen.values()]
}
