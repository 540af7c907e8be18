import { type MysqlSession, numberCell } from './session'
import { createSqlReader } from './sql-reader'
import type { SqlDialect } from './sql-tokens'

/** Whether a statement that changes the rows of a table may change those of others with them. */
export interface StatementEffects {
  /** Neither a trigger nor a foreign key of the database changes other rows with those of a statement. */
  readonly areNone: boolean
}

/** Not known: there may be any. */
export const ANY_EFFECTS: StatementEffects = { areNone: false }

/** A user sees the triggers of tables for which it has that right. */
const EFFECTS_SQL = `SELECT
  (SELECT COUNT(*) FROM information_schema.user_privileges
    WHERE privilege_type = 'TRIGGER' AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')) +
  (SELECT COUNT(*) FROM information_schema.schema_privileges
    WHERE privilege_type = 'TRIGGER' AND DATABASE() LIKE table_schema
      AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')) AS sees,
  (SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = DATABASE()) AS triggers,
  (SELECT COUNT(*) FROM information_schema.referential_constraints
    WHERE unique_constraint_schema = DATABASE()
      AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))) AS cascades`

/** As the database is now. What the log says of it later is the reader's to notice. */
export async function readStatementEffects(session: MysqlSession): Promise<StatementEffects> {
  const [row] = await session.query(EFFECTS_SQL)
  const none = numberCell(row, 'triggers') === 0 && numberCell(row, 'cascades') === 0
  return { areNone: none && numberCell(row, 'sees') > 0 }
}

/** `made`: there may be effects from here on; `gone`: there may have been some up to here. */
export function effectsDefinedBy(sql: string, dialect: SqlDialect): 'made' | 'gone' | null {
  const reader = createSqlReader(sql, dialect)
  const word = reader.word()
  if (word !== 'CREATE' && word !== 'ALTER' && word !== 'DROP') return null
  if (word === 'DROP') return reader.skip('TRIGGER') ? 'gone' : null
  const tokens = reader.list().flat()
  const has = (name: string) =>
    tokens.some(({ kind, text }) => kind === 'word' && text.toUpperCase() === name)
  if (word === 'ALTER' && has('DROP') && (has('FOREIGN') || has('CONSTRAINT'))) return 'gone'
  return has('TRIGGER') || has('REFERENCES') ? 'made' : null
}
