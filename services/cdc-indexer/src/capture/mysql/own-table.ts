import type { SqlReader, TableName } from './sql-reader'
import type { SqlToken } from './sql-tokens'

/** What may stand before a parenthesis and is no stored function: words of the syntax, and functions of MySQL's own. */
const NO_STORED_FUNCTIONS = new Set(
  `VALUES VALUE IN AND OR NOT XOR WHERE SET ON BETWEEN LIKE THEN ELSE WHEN CASE AS KEY UPDATE CHAR DECIMAL COLUMNS FIELDS
   ABS CAST CEIL CEILING COALESCE CONCAT CONCAT_WS CONVERT DATE FLOOR GREATEST HEX IF IFNULL LEAST LEFT LENGTH LOWER LTRIM
   MD5 MOD NOW NULLIF REPLACE REVERSE RIGHT ROUND RTRIM SHA1 SHA2 SUBSTR SUBSTRING TRIM UNHEX UNIX_TIMESTAMP UPPER UUID`.split(
    /\s+/,
  ),
)

/**
 * The one table whose rows a statement changes by itself, where its text says so: no other statement is in it, and it
 * calls no function that might change something. Triggers and foreign keys are another matter. Null: it may be more.
 */
export function ownTable(word: string | null, reader: SqlReader): TableName | null {
  switch (word) {
    case 'INSERT':
    case 'REPLACE': {
      reader.skipAll('LOW_PRIORITY', 'DELAYED', 'HIGH_PRIORITY', 'IGNORE', 'INTO')
      const table = reader.tableName()
      // Its columns, or its values.
      return isPlain(reader.list().flat(), true) ? table : null
    }
    case 'UPDATE': {
      reader.skipAll('LOW_PRIORITY', 'IGNORE')
      const table = reader.tableName()
      return reader.skip('SET') && isPlain(reader.list().flat()) ? table : null
    }
    case 'DELETE': {
      reader.skipAll('LOW_PRIORITY', 'QUICK', 'IGNORE')
      if (!reader.skip('FROM')) return null
      const table = reader.tableName()
      const isOne = reader.isEnd() || reader.skip('WHERE', 'ORDER', 'LIMIT', ';')
      return isOne && isPlain(reader.list().flat()) ? table : null
    }
    case 'LOAD': {
      if (!reader.skipPast('INTO') || !reader.skip('TABLE')) return null
      const table = reader.tableName()
      return isPlain(reader.list().flat(), true) ? table : null
    }
    default:
      return null
  }
}

function isPlain(tokens: readonly SqlToken[], mayBegin = false): boolean {
  return tokens.every((token, at) => {
    if (token.kind === 'word' && /^(?:SELECT|TABLE|WITH|USING)$/i.test(token.text)) return false
    if (token.kind !== 'sign' || token.text !== '(') return true
    const before = tokens[at - 1]
    if (!before) return mayBegin
    if (before.kind === 'name') return false
    const isQualified = tokens[at - 2]?.kind === 'sign' && tokens[at - 2]?.text === '.'
    return (
      before.kind === 'sign' ||
      before.kind === 'string' ||
      (before.kind === 'word' && !isQualified && NO_STORED_FUNCTIONS.has(before.text.toUpperCase()))
    )
  })
}
