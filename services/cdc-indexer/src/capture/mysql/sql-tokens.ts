/** What of a session's `sql_mode` says how its statements are read, as the bits that a Query event carries. */
export const SQL_MODE = {
  ansiQuotes: 1 << 2,
  noBackslashEscapes: 1 << 20,
  strictTransTables: 1 << 21,
  strictAllTables: 1 << 22,
} as const

/** A quoted name is `name` and never a keyword; a word may be either. Quotes are not in the text. */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'string' | 'sign'
  readonly text: string
}

export interface SqlDialect {
  /** Bits of `SQL_MODE`. */
  readonly sqlMode: number
  /** The server's version as MySQL writes it in comments, 90704 for 9.7.4: `/*!80000 … *\/` is read from 8.0.0 on. */
  readonly version: number
}

/** White space as MySQL has it; what it shows as a space in latin1 too. */
const SPACE = /[ \t\n\v\f\r\0\u00a0]+/y
const WORD = /[\w$\u0080-\u009f\u00a1-\u{10ffff}]+/uy
const LINE_COMMENT = /(?:#|--(?=[\0-\x20]|$))[^\n]*/y
/** Six digits are five and one of the statement where no white space follows. */
const VERSION = /\d{6}(?=[ \t\n\v\f\r])|\d{5}/y

/**
 * The tokens of a statement as MySQL's own lexer finds them, without white space and comments; what stands in
 * `/*! *\/` is read where the server reads it. Made one by one, so that a reader of the first few costs no more. A
 * string or a comment without an end goes to the end of the text.
 */
export function* sqlTokens(
  sql: string,
  { sqlMode, version }: SqlDialect,
): Generator<SqlToken, void, void> {
  const isEscaped = (sqlMode & SQL_MODE.noBackslashEscapes) === 0
  const hasQuotedNames = (sqlMode & SQL_MODE.ansiQuotes) !== 0
  let at = 0
  let isInVersionComment = false

  function match(pattern: RegExp): string | null {
    pattern.lastIndex = at
    const found = pattern.exec(sql)?.[0] ?? null
    if (found !== null) at += found.length
    return found
  }

  /** Behind the quote that ends what began at `at`; a doubled one is part of it. */
  function quoted(quote: string, canEscape: boolean): string {
    const from = at + 1
    for (at = from; at < sql.length; at++) {
      if (sql[at] === '\\' && canEscape) at += 1
      else if (sql[at] !== quote) continue
      else if (sql[at + 1] === quote) at += 1
      else break
    }
    const content = sql.slice(from, at)
    at += 1
    return content.replaceAll(quote + quote, quote)
  }

  /** Passes over a comment, or its opening where the server reads what is in it. */
  function comment() {
    at += 2
    if (sql[at] === '!') {
      at += 1
      const since = match(VERSION)
      if (since === null || Number(since) <= version) {
        isInVersionComment = true
        return
      }
      skipNested()
      return
    }
    skipTo('*/')
  }

  /** A comment for later versions may have ordinary ones in it. */
  function skipNested() {
    for (;;) {
      const end = sql.indexOf('*/', at)
      const inner = sql.indexOf('/*', at)
      if (inner < 0 || end < 0 || end < inner) break
      at = inner + 2
      skipTo('*/')
    }
    skipTo('*/')
  }

  function skipTo(mark: string) {
    const end = sql.indexOf(mark, at)
    at = end < 0 ? sql.length : end + mark.length
  }

  while (at < sql.length) {
    if (match(SPACE) !== null || match(LINE_COMMENT) !== null) continue
    if (sql.startsWith('/*', at)) {
      comment()
      continue
    }
    if (isInVersionComment && sql.startsWith('*/', at)) {
      isInVersionComment = false
      at += 2
      continue
    }
    const word = match(WORD)
    if (word !== null) {
      yield { kind: 'word', text: word }
      continue
    }
    const sign = sql[at] ?? ''
    if (sign === '`' || (sign === '"' && hasQuotedNames)) {
      yield { kind: 'name', text: quoted(sign, false) }
    } else if (sign === "'" || sign === '"') {
      yield { kind: 'string', text: quoted(sign, isEscaped) }
    } else {
      at += 1
      yield { kind: 'sign', text: sign }
    }
  }
}
