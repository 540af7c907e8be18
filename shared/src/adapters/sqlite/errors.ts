import { SQLiteError } from 'bun:sqlite'
import { storeUnavailable } from '../../errors/sns-error'

/** Another connection holds the lock; the statement did nothing and may be tried again. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY')
}

/** The file could not be read or written just now; everything else stays what it is. */
export function translateSqliteError(error: unknown): unknown {
  return isUnavailable(codeOf(error)) ? storeUnavailable('sqlite', error) : error
}

/** Whether a code of SQLite says that the file could not be read or written just now. */
export function isUnavailable(code: string): boolean {
  return /^SQLITE_(BUSY|IOERR|FULL|READONLY|CANTOPEN)/.test(code)
}

/**
 * The unique index that refused a row: `PRIMARY`, or the index by our naming (table_column), which
 * SQLite reports as `UNIQUE constraint failed: users.username`.
 */
export function sqliteDuplicateIndex(error: unknown): string | null {
  const code = codeOf(error)
  if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return 'PRIMARY'
  if (code !== 'SQLITE_CONSTRAINT_UNIQUE' || !(error instanceof Error)) return null
  const columns = error.message.slice(error.message.indexOf(':') + 1).split(',')
  return columns
    .map((column, index) => (index === 0 ? column : column.slice(column.indexOf('.') + 1)))
    .map((column) => column.trim().replace('.', '_'))
    .join('_')
}

export function codeOf(error: unknown): string {
  return error instanceof SQLiteError ? (error.code ?? '') : ''
}
