import { type SqlDialect, type SqlToken, sqlTokens } from './sql-tokens'

export interface TableName {
  readonly schema: string | null
  readonly table: string
}

/** Reads a statement from its start on, token by token. Keywords are in capitals here, whatever the statement has. */
export interface SqlReader {
  isEnd(): boolean
  /** The next token in capitals, where it is a word that may be a keyword; null, and nothing read, where it is not. */
  word(): string | null
  /** Passes over the next token where it is one of these words or signs. */
  skip(...words: readonly string[]): boolean
  /** Passes over all that come next of these words. */
  skipAll(...words: readonly string[]): void
  skipIfExists(): void
  /** A name, quoted or not; null, and nothing read, where none is next. */
  name(): string | null
  /** The same, or the content of a string. */
  nameOrText(): string | null
  tableName(): TableName | null
  /** The comma-separated names that come next. */
  tableNames(): TableName[]
  /** What is left, parted at the commas that stand in no parentheses. */
  list(): SqlToken[][]
  /** Passes over tokens outside parentheses until one of these words was passed over; false: there is none. */
  skipPast(word: string): boolean
  /** Whether what is left has the name anywhere. */
  names(name: string): boolean
}

export function createSqlReader(sql: string, dialect: SqlDialect): SqlReader {
  return readTokens(sqlTokens(sql, dialect))
}

export function readTokens(source: Iterable<SqlToken>): SqlReader {
  const tokens = source[Symbol.iterator]()
  let current = tokens.next()

  function peek(): SqlToken | null {
    return current.done ? null : current.value
  }

  function next(): SqlToken | null {
    const token = peek()
    if (token) current = tokens.next()
    return token
  }

  function skip(...words: readonly string[]): boolean {
    const token = peek()
    if (token?.kind !== 'word' && token?.kind !== 'sign') return false
    if (!words.includes(token.text.toUpperCase())) return false
    next()
    return true
  }

  function name(): string | null {
    const token = peek()
    if (token?.kind !== 'word' && token?.kind !== 'name') return null
    next()
    return token.text
  }

  function tableName(): TableName | null {
    const isOfNoSchema = skip('.')
    const first = name()
    if (first === null) return null
    if (isOfNoSchema || !skip('.')) return { schema: null, table: first }
    const table = name()
    return table === null ? null : { schema: first, table }
  }

  /** The tokens up to the next comma outside parentheses, which is passed over. */
  function item(): SqlToken[] {
    const found: SqlToken[] = []
    let depth = 0
    for (let token = next(); token; token = next()) {
      if (token.kind === 'sign') {
        if (token.text === '(') depth += 1
        if (token.text === ')') depth -= 1
        if (token.text === ',' && depth <= 0) break
      }
      found.push(token)
    }
    return found
  }

  return {
    isEnd: () => peek() === null,

    word() {
      const token = peek()
      if (token?.kind !== 'word') return null
      next()
      return token.text.toUpperCase()
    },

    skip,

    skipAll(...words) {
      while (skip(...words)) {}
    },

    skipIfExists() {
      if (skip('IF')) skip('EXISTS')
    },

    name,
    tableName,

    nameOrText: () => name() ?? (peek()?.kind === 'string' ? (next()?.text ?? null) : null),

    tableNames() {
      const found: TableName[] = []
      do {
        const each = tableName()
        if (each) found.push(each)
      } while (skip(','))
      return found
    },

    list() {
      const items: SqlToken[][] = []
      while (peek()) items.push(item())
      return items
    },

    skipPast(word) {
      let depth = 0
      for (let token = peek(); token; token = peek()) {
        if (depth === 0 && skip(word)) return true
        if (token.kind === 'sign') {
          if (token.text === '(') depth += 1
          if (token.text === ')') depth -= 1
        }
        next()
      }
      return false
    },

    names(wanted) {
      for (let token = next(); token; token = next()) {
        const isName = token.kind === 'word' || token.kind === 'name'
        if (isName && token.text.toLowerCase() === wanted.toLowerCase()) return true
      }
      return false
    },
  }
}
