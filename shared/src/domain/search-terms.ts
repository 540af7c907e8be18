import { foldText, type UnitKind } from './text-folding'

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
export const SEARCH_TERMS_VERSION = 2

/** The terms of a text, in order. */
export function searchTerms(text: string): SearchTerm[] {
  const terms: SearchTerm[] = []
  eachTerm(text, (term, kind, start, end, firstEnd, joined) => {
    terms.push({ text: term, kind, start, end, firstEnd, joined })
  })
  return terms
}

/** The terms of a text as one text with spaces between, as the indexes take them. */
export function termText(text: string): string {
  let all = ''
  eachTerm(text, (term) => {
    all = all === '' ? term : `${all} ${term}`
  })
  return all
}

/** Told of the parts of a `SearchTerm`. */
type OnTerm = (
  text: string,
  kind: SearchTerm['kind'],
  start: number,
  end: number,
  firstEnd: number,
  joined: boolean,
) => void

/** Puts units of one kind that follow each other into runs, and runs into terms. */
function eachTerm(text: string, onTerm: OnTerm): void {
  let run: UnitKind = 'separator'
  let joined = false
  // Of the run so far a word, of a run of grams the last character, which has yet to find its second.
  let [term, start, end, firstEnd] = ['', 0, 0, 0]

  function endRun(): void {
    if (run === 'word') onTerm(cut(term), 'word', start, end, firstEnd, joined)
    else if (run === 'gram') onTerm(term, 'tail', start, end, firstEnd, joined)
    else return
    joined = true
  }

  foldText(text, (unit, kind, from, to, first) => {
    if (kind === run && kind === 'word') {
      term += unit
      end = to
      return
    }
    if (kind === run && kind === 'gram') {
      onTerm(term + unit, 'gram', start, to, firstEnd, joined)
      joined = true
    } else {
      endRun()
      // An apostrophe joins words only, and only one does.
      if (kind === 'separator' || kind === 'emoji' || kind === run) joined = false
      else if (run === 'joiner') joined = joined && kind === 'word'
      run = kind
      if (kind === 'emoji') onTerm(unit, 'emoji', from, to, first, false)
    }
    term = unit
    start = from
    end = to
    firstEnd = first
  })
  endRun()
}

function cut(word: string): string {
  if (word.length <= TERM_LENGTH_MAX) return word
  return [...word].slice(0, TERM_LENGTH_MAX).join('')
}
