import type { SearchTerm } from './search-terms'

/**
 * Which other forms of a word a language's rules may find for it.
 *
 * - `korean`: the word under other endings and particles. The first `shared` terms of the phrase stand in every such
 *   form; morphology has to confirm the rest.
 * - `english`: the singular and the plural. `last` are the forms of the phrase's last term, itself included.
 */
export type WordForms =
  | { readonly kind: 'korean'; readonly shared: number }
  | { readonly kind: 'english'; readonly last: readonly string[] }

/** Shorter ones are words of their own: `his` is not the plural of `hi`. */
const SINGULAR_MIN = 3

const ENGLISH = /^[a-z]+$/
const HANGUL_PAIR = /^[\uAC00-\uD7A3]{2}$/

/**
 * The forms of a word by its terms, as `searchTerms` gives them; null where there are none. Korean words have forms
 * from three syllables on: of a shorter one too little is left to tell it from others.
 */
export function wordForms(terms: readonly SearchTerm[]): WordForms | null {
  const last = terms.at(-1)
  if (last === undefined) return null
  if (last.kind === 'word') return englishForms(last.text)
  if (last.kind !== 'tail') return null
  // The pairs of the run that the word ends with.
  const first = terms.findLastIndex(({ kind }, at) => kind !== 'gram' && at < terms.length - 1) + 1
  const pairs = terms.slice(first, -1)
  if (pairs.length < 2 || !pairs.every(({ text }) => HANGUL_PAIR.test(text))) return null
  return { kind: 'korean', shared: first + 1 }
}

function englishForms(word: string): WordForms | null {
  if (!ENGLISH.test(word)) return null
  const singular = singularOf(word)
  if (singular.length < SINGULAR_MIN) return null
  const candidates = [singular, `${singular}s`, singular.replace(/y$/, 'ies')]
  const last = [...new Set(candidates)].filter((form) => singularOf(form) === singular)
  return last.length > 1 ? { kind: 'english', last } : null
}

/** Harman's S stemmer ("How effective is suffixing?", 1991), which undoes the plural and nothing else. */
function singularOf(word: string): string {
  if (/[^ae]ies$/.test(word)) return word.replace(/ies$/, 'y')
  if (/[aeio]es$/.test(word)) return word
  return /[^us]s$/.test(word) ? word.slice(0, -1) : word
}
