import { CAPTURED_TABLES, type CapturedTable, isCapturedTable } from '@sns/shared/events/tables'
import { isLossyAlteration, tablesBeside } from './alter-table'
import { ownTable } from './own-table'
import { createSqlReader, readTokens, type SqlReader, type TableName } from './sql-reader'
import { SQL_MODE, type SqlDialect } from './sql-tokens'

/** What a statement in the binlog means to a reader of row changes. */
export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'rollback-to' | 'xa-start' | 'xa-end' }
  /**
   * Changes captured rows without row events; `what` says how. `tables` are those whose rows have to be read anew;
   * null: it may be any, or only `own` where nothing else changes with that.
   */
  | {
      readonly kind: 'unreadable'
      readonly what: string
      readonly tables: readonly CapturedTable[] | null
      readonly own: CapturedTable | null
    }
  | { readonly kind: 'other' }

/** What a Query event says beside its statement. */
export interface StatementContext extends SqlDialect {
  /** The databases whose tables the statement used, those behind views, functions and triggers too; null: not known. */
  readonly databases: readonly string[] | null
}

const PLAIN: StatementContext = {
  sqlMode: SQL_MODE.strictTransTables,
  version: 80_014,
  databases: null,
}

const BEGIN: Statement = { kind: 'begin' }
const OTHER: Statement = { kind: 'other' }

/**
 * First words of statements that change no rows. What is neither here nor a definition is taken for one that does:
 * `SELECT f()`, `DO f()`, `CALL`, `WITH … DELETE` and whatever a later server may know.
 */
const HARMLESS = new Set(
  `SAVEPOINT RELEASE CREATE GRANT REVOKE SET ANALYZE OPTIMIZE REPAIR CHECK CHECKSUM FLUSH RESET CACHE INSTALL UNINSTALL
   LOCK UNLOCK USE CHANGE START STOP PURGE`.split(/\s+/),
)

/**
 * Reads a Query event of a row-format binlog: transaction control, and statements that take captured
 * rows away or change them without a row event. `schema` is the session's default database.
 */
export function readStatement(
  sql: string,
  schema: string,
  database: string,
  context: StatementContext = PLAIN,
): Statement {
  if (sql === 'BEGIN') return BEGIN
  const reader = createSqlReader(sql, context)
  const word = reader.word()
  switch (word) {
    case 'BEGIN':
      return BEGIN
    case 'COMMIT':
      return { kind: 'commit' }
    case 'ROLLBACK':
      reader.skip('WORK')
      return { kind: reader.skip('TO') ? 'rollback-to' : 'rollback' }
    case 'XA':
      return readXa(reader)
    case 'START':
      return reader.skip('TRANSACTION') ? BEGIN : OTHER
  }
  if (reader.isEnd()) return OTHER
  const session = { schema, database, sqlMode: context.sqlMode }
  const concerned = readDefinition(word, reader, session)
  if (concerned) {
    if (concerned.length === 0) return OTHER
    return { kind: 'unreadable', what: `"${excerpt(sql)}"`, tables: concerned, own: null }
  }
  if (word !== null && HARMLESS.has(word)) return OTHER
  if (!mayTouch(sql, schema, database, context)) return OTHER
  const own = capturedTable(ownTable(word, reader), session)
  return { kind: 'unreadable', what: `statement-format "${excerpt(sql)}"`, tables: null, own }
}

function readXa(reader: SqlReader): Statement {
  switch (reader.word()) {
    case 'START':
    case 'BEGIN':
      return { kind: 'xa-start' }
    case 'COMMIT':
      return { kind: 'commit' }
    case 'ROLLBACK':
      return { kind: 'rollback' }
    default:
      return { kind: 'xa-end' }
  }
}

interface Session {
  readonly schema: string
  readonly database: string
  readonly sqlMode: number
}

/** The captured tables whose rows a definition takes away or changes; null where it is none. */
function readDefinition(
  word: string | null,
  reader: SqlReader,
  session: Session,
): readonly CapturedTable[] | null {
  const captured = (name: TableName | null) => capturedTable(name, session)
  switch (word) {
    case 'TRUNCATE':
      reader.skip('TABLE')
      return distinct([captured(reader.tableName())])
    case 'DROP':
      return readDrop(reader, session)
    case 'RENAME':
      return reader.skip('TABLE', 'TABLES') ? readRename(reader, session) : []
    case 'ALTER': {
      if (!reader.skip('TABLE')) return []
      const name = reader.tableName()
      const table = captured(name)
      // MySQL takes a table's own name for a new one, and does nothing.
      const isItself = (other: TableName) =>
        other.table === name?.table &&
        (other.schema ?? session.schema) === (name.schema ?? session.schema)
      const specs = reader.list().filter((spec) => !tablesBeside(spec).some(isItself))
      const isStrict =
        (session.sqlMode & (SQL_MODE.strictTransTables | SQL_MODE.strictAllTables)) !== 0
      const columns = table ? CAPTURED_TABLES[table].columns : []
      const isLossy = specs.some((spec) => isLossyAlteration(spec, { columns, isStrict }))
      const beside = specs.flatMap(tablesBeside).map(captured)
      return distinct([isLossy ? table : null, ...beside])
    }
    default:
      return null
  }
}

function readDrop(reader: SqlReader, session: Session): readonly CapturedTable[] {
  if (reader.skip('DATABASE', 'SCHEMA')) {
    reader.skipIfExists()
    const name = reader.tableName()
    return name && isSame(name.table, session.database)
      ? Object.keys(CAPTURED_TABLES).filter(isCapturedTable)
      : []
  }
  if (!reader.skip('TABLE', 'TABLES')) return []
  reader.skipIfExists()
  return distinct(reader.tableNames().map((name) => capturedTable(name, session)))
}

/** Those that are another table afterwards, or none. */
function readRename(reader: SqlReader, session: Session): readonly CapturedTable[] {
  const keyOf = ({ schema, table }: TableName) =>
    `${schema ?? session.schema}\0${table}`.toLowerCase()
  /** Which table now has a name. */
  const origins = new Map<string, { readonly name: TableName; readonly origin: string | null }>()
  for (const pair of reader.list()) {
    const names = readTokens(pair)
    const from = names.tableName()
    const to = names.skip('TO') ? names.tableName() : null
    if (!from || !to) continue
    const moved = origins.get(keyOf(from))
    const origin = moved ? moved.origin : keyOf(from)
    origins.set(keyOf(from), { name: from, origin: null })
    origins.set(keyOf(to), { name: to, origin })
  }
  const replaced = [...origins].flatMap(([key, { name, origin }]) => {
    if (origin === key) return []
    const table = capturedTable(name, session)
    return table && !isOnlineCopy(table, key, origin) ? [table] : []
  })
  return distinct(replaced)
}

/**
 * Whether an online schema change puts its copy in the table's place, which has the same rows by then: by the names
 * that gh-ost and pt-online-schema-change give their copies beside the table.
 */
function isOnlineCopy(table: string, key: string, origin: string | null): boolean {
  const schema = key.slice(0, -table.length)
  return (
    origin?.startsWith(`${schema}_`) === true &&
    new RegExp(`^_+${table}_(?:gho|new)$`).test(origin.slice(schema.length))
  )
}

function capturedTable(
  name: TableName | null,
  { schema, database }: Session,
): CapturedTable | null {
  if (!name || !isSame(name.schema ?? schema, database)) return null
  // Servers with `lower_case_table_names` log the name as it was written.
  const table = name.table.toLowerCase()
  return isCapturedTable(table) ? table : null
}

function distinct(tables: readonly (CapturedTable | null)[]): readonly CapturedTable[] {
  return [...new Set(tables.filter((table) => table !== null))]
}

/** MySQL writes that there were too many databases to name, or that foreign keys reach into ones it does not know. */
const UNNAMED = ''

/**
 * Whether a statement that was logged in place of its rows may have changed captured ones. In our own database each
 * counts, as triggers or joins may touch captured tables; in others the server says which databases it used.
 */
function mayTouch(
  sql: string,
  schema: string,
  database: string,
  context: StatementContext,
): boolean {
  const { databases } = context
  if (databases && !databases.includes(UNNAMED)) {
    return databases.some((name) => isSame(name, database))
  }
  if (databases || isSame(schema, database)) return true
  return createSqlReader(sql, context).names(database)
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

function excerpt(text: string): string {
  const line = text.slice(0, 400).replace(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}
