import { readTokens, type TableName } from './sql-reader'
import type { SqlToken } from './sql-tokens'

interface Altered {
  /** The columns that consumers read. */
  readonly columns: readonly string[]
  /** Whether the session refuses to change a value that does not fit its column's new type. */
  readonly isStrict: boolean
}

/** Types that keep each value of the columns that consumers read, or refuse it. */
const EXACT_TYPES = new Set(['BIGINT', 'VARCHAR', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT'])
/** With these MySQL makes the column's values anew, whatever its type. */
const MAKES_VALUES = ['AS', 'GENERATED', 'AUTO_INCREMENT']
/** What a list of table options cannot begin with. */
const ACTIONS = new Set(['ADD', 'ALTER', 'ORDER', 'PARTITION', 'REORGANIZE'])

/** Whether one of the actions of an `ALTER TABLE` takes rows away or changes what consumers read of them. */
export function isLossyAlteration(
  spec: readonly SqlToken[],
  { columns, isStrict }: Altered,
): boolean {
  const reader = readTokens(spec)
  const isRead = (name: string | null) =>
    name !== null && columns.some((column) => column === name.toLowerCase())
  const keepsValues = () =>
    isStrict &&
    EXACT_TYPES.has(reader.word() ?? '') &&
    !hasBinaryCharset(spec) &&
    !MAKES_VALUES.some((word) => readTokens(spec).skipPast(word))
  const action = reader.word()
  switch (action) {
    case 'TRUNCATE':
    case 'EXCHANGE':
      return reader.skip('PARTITION')
    case 'DISCARD':
    case 'IMPORT':
      return reader.skip('PARTITION', 'TABLESPACE')
    case 'DROP':
      if (reader.skip('PARTITION')) return true
      if (reader.skip('PRIMARY', 'INDEX', 'KEY', 'FOREIGN', 'CONSTRAINT', 'CHECK')) return false
      reader.skip('COLUMN')
      return isRead(reader.name())
    case 'RENAME': {
      if (reader.skip('INDEX', 'KEY')) return false
      if (!reader.skip('COLUMN')) return true
      const from = reader.name()
      reader.skip('TO')
      return isRenamed(from, reader.name(), isRead)
    }
    case 'CHANGE': {
      reader.skip('COLUMN')
      const from = reader.name()
      const to = reader.name()
      return isRenamed(from, to, isRead) || (isRead(to) && !keepsValues())
    }
    case 'MODIFY':
      reader.skip('COLUMN')
      return isRead(reader.name()) && !keepsValues()
    case 'CONVERT':
      return !isStrict || hasBinaryCharset(spec)
    default: {
      if (action !== null && ACTIONS.has(action)) return false
      if (action !== 'ENGINE' && !reader.skipPast('ENGINE')) return false
      reader.skip('=')
      return reader.nameOrText()?.toLowerCase() !== 'innodb'
    }
  }
}

/** Texts become bytes. */
function hasBinaryCharset(spec: readonly SqlToken[]): boolean {
  if (readTokens(spec).skipPast('BYTE')) return true
  return ['CHARSET', 'CHARACTER', 'CHAR'].some((word) => {
    const reader = readTokens(spec)
    if (!reader.skipPast(word)) return false
    if (word !== 'CHARSET' && !reader.skip('SET')) return false
    reader.skip('=')
    return reader.nameOrText()?.toLowerCase() === 'binary'
  })
}

function isRenamed(
  from: string | null,
  to: string | null,
  isRead: (name: string | null) => boolean,
): boolean {
  return from?.toLowerCase() !== to?.toLowerCase() && (isRead(from) || isRead(to))
}

/** The tables whose rows change with those of the one that is altered. */
export function tablesBeside(spec: readonly SqlToken[]): TableName[] {
  const reader = readTokens(spec)
  const name = () => {
    const found = reader.tableName()
    return found ? [found] : []
  }
  switch (reader.word()) {
    case 'EXCHANGE':
      if (!reader.skipPast('WITH')) return []
      reader.skip('TABLE')
      return name()
    case 'RENAME':
      if (reader.skip('COLUMN', 'INDEX', 'KEY')) return []
      reader.skip('TO', 'AS', '=')
      return name()
    default:
      return []
  }
}
