import { isCapturedTable } from '@sns/shared/events/tables'

/** What a statement in the binlog means to a reader of row changes. */
export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'rollback-to' | 'xa-start' | 'xa-end' }
  /** Changes captured rows without row events; `what` says how. */
  | { readonly kind: 'unreadable'; readonly what: string }
  | { readonly kind: 'other' }

const BEGIN: Statement = { kind: 'begin' }
const OTHER: Statement = { kind: 'other' }

const LEADING_COMMENT = /^(?:\s+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?!!)[\s\S]*?\*\/)+/
const DML = /^(?:insert|update|delete|replace|load\s+data|with|call)\b/i
const PARTITION_LOSS =
  /\b(?:drop|truncate|exchange|discard|import)\s+partition\b|\b(?:discard|import)\s+tablespace\b/i
const IDENTIFIER = '(?:`(?:[^`]|``)+`|[\\p{L}\\p{N}_$]+)'
const NAME = `(${IDENTIFIER})(?:\\s*\\.\\s*(${IDENTIFIER}))?`

/**
 * Reads a Query event of a row-format binlog: transaction control, and statements that take captured
 * rows away or change them without a row event. `schema` is the session's default database.
 */
export function readStatement(sql: string, schema: string, database: string): Statement {
  if (sql === 'BEGIN') return BEGIN
  const text = sql.replace(LEADING_COMMENT, '').trimEnd()
  const word = /^[a-z]+/i.exec(text)?.[0].toLowerCase()
  switch (word) {
    case 'begin':
      return BEGIN
    case 'commit':
      return { kind: 'commit' }
    case 'rollback':
      return { kind: /^rollback\s+(?:work\s+)?to\b/i.test(text) ? 'rollback-to' : 'rollback' }
    case 'xa':
      return readXa(text)
    case 'truncate':
    case 'drop':
    case 'rename':
    case 'alter':
      return readDefinition(text, schema, database)
    default:
      return DML.test(text) && touches(text, schema, database)
        ? { kind: 'unreadable', what: `statement-format "${excerpt(text)}"` }
        : OTHER
  }
}

function readXa(text: string): Statement {
  if (/^xa\s+(?:start|begin)\b/i.test(text)) return { kind: 'xa-start' }
  if (/^xa\s+commit\b/i.test(text)) return { kind: 'commit' }
  if (/^xa\s+rollback\b/i.test(text)) return { kind: 'rollback' }
  return { kind: 'xa-end' }
}

function readDefinition(text: string, schema: string, database: string): Statement {
  const lost = () => ({ kind: 'unreadable', what: `"${excerpt(text)}"` }) as const
  const isOurs = (name: Name) => (name.schema ?? schema) === database && isCapturedTable(name.table)

  const dropped = new RegExp(
    `^drop\\s+(?:database|schema)\\s+(?:if\\s+exists\\s+)?${NAME}`,
    'iu',
  ).exec(text)
  if (dropped) return unquote(dropped[1] ?? '') === database ? lost() : OTHER

  const emptied = /^(?:truncate(?:\s+table)?|drop\s+table(?:\s+if\s+exists)?)\s+/i.exec(text)
  if (emptied) return names(text.slice(emptied[0].length)).some(isOurs) ? lost() : OTHER

  const renamed = /^rename\s+tables?\s+/i.exec(text)
  if (renamed) {
    const listed = names(text.slice(renamed[0].length).replace(/\s+to\s+/gi, ', '))
    const from = listed.filter((_, i) => i % 2 === 0).filter(isOurs)
    const to = listed.filter((_, i) => i % 2 === 1).filter(isOurs)
    // A swap that puts another table in the name's place (online schema change) loses no rows.
    return from.some(({ table }) => !to.some((name) => name.table === table)) ? lost() : OTHER
  }

  const altered = new RegExp(`^alter\\s+table\\s+${NAME}`, 'iu').exec(text)
  if (altered && isOurs(nameOf(altered[1] ?? '', altered[2]))) {
    const rest = text.slice(altered[0].length)
    const renames = /\brename\s+(?!column\b|index\b|key\b)/i.test(rest)
    return renames || PARTITION_LOSS.test(rest) ? lost() : OTHER
  }
  return OTHER
}

/** In our own database every such statement counts, as triggers or joins may touch captured tables. */
function touches(text: string, schema: string, database: string): boolean {
  if (schema === database) return true
  return [...text.matchAll(new RegExp(NAME, 'giu'))].some(
    (match) =>
      unquote(match[1] ?? '') === database &&
      match[2] !== undefined &&
      isCapturedTable(unquote(match[2])),
  )
}

interface Name {
  readonly schema: string | null
  readonly table: string
}

function nameOf(first: string, second: string | undefined): Name {
  return second === undefined
    ? { schema: null, table: unquote(first) }
    : { schema: unquote(first), table: unquote(second) }
}

/** The comma-separated names that a list starts with. */
function names(list: string): Name[] {
  const found: Name[] = []
  const next = new RegExp(`\\s*,?\\s*${NAME}`, 'iuy')
  for (let match = next.exec(list); match; match = next.exec(list)) {
    found.push(nameOf(match[1] ?? '', match[2]))
    if (!/^\s*,/.test(list.slice(next.lastIndex))) break
  }
  return found
}

function unquote(identifier: string): string {
  return identifier.startsWith('`') ? identifier.slice(1, -1).replaceAll('``', '`') : identifier
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}
