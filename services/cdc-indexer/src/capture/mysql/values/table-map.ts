import { ByteCursor } from './byte-cursor'
import { type MappedColumn, TYPE } from './column'

/** What a table map with full metadata says of its table. */
export interface TableColumns {
  readonly columns: readonly MappedColumn[]
  /** The names of its primary key's columns. */
  readonly key: readonly string[]
}

export interface TableMap {
  readonly id: number
  readonly schema: string
  readonly table: string
}

/** Which table it is. The rest is only read of tables that are captured: `readColumns` goes on at the cursor. */
export function readTableName(body: ByteCursor): TableMap {
  const id = body.unsigned(TABLE_ID_BYTES)
  body.take(FLAG_BYTES)
  const schema = name(body)
  const table = name(body)
  return { id, schema, table }
}

export const TABLE_ID_BYTES = 6
export const FLAG_BYTES = 2

/** A length of one byte, a name, a zero. */
function name(body: ByteCursor): string {
  const text = body.slice(body.unsigned(1)).toString()
  body.take(1)
  return text
}

/** Kinds of optional metadata. Source: MySQL 9 source documentation, `Table_map_event::Optional_metadata_field_type`. */
const FIELD = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  names: 4,
  setValues: 5,
  enumValues: 6,
  key: 8,
  keyOfPrefixes: 9,
  choiceDefaultCharset: 10,
  choiceCharset: 11,
} as const

const NUMERIC: ReadonlySet<number> = new Set([
  TYPE.TINY,
  TYPE.SHORT,
  TYPE.INT24,
  TYPE.LONG,
  TYPE.LONGLONG,
  TYPE.NEWDECIMAL,
  TYPE.FLOAT,
  TYPE.DOUBLE,
  TYPE.YEAR,
])
const CHARACTER: ReadonlySet<number> = new Set([
  TYPE.STRING,
  TYPE.VAR_STRING,
  TYPE.VARCHAR,
  TYPE.BLOB,
  TYPE.VECTOR,
])

type Draft = { -readonly [Key in keyof MappedColumn]: MappedColumn[Key] }

/**
 * The columns of a table map, or null where it lacks their names (`binlog_row_metadata` was not FULL). Layout: MySQL 9
 * source documentation, "Table_map_event".
 */
export function readColumns(body: ByteCursor): TableColumns | null {
  const types = body.block()
  const metadata = body.block()
  const inMetadata = new ByteCursor(metadata, 0, metadata.length)
  const columns = [...types].map(
    (type): Draft => ({
      name: '',
      isUnsigned: false,
      collation: null,
      choices: [],
      ...readType(type, inMetadata),
    }),
  )
  // Which may be null: each row says it again.
  body.take((columns.length + 7) >> 3)
  let isNamed = false
  let key: readonly number[] = []
  const of = (isMember: (type: number) => boolean) => columns.filter(({ type }) => isMember(type))
  const numeric = of((type) => NUMERIC.has(type))
  const character = of((type) => CHARACTER.has(type))
  const choices = of((type) => type === TYPE.ENUM || type === TYPE.SET)
  while (!body.isAtEnd) {
    const kind = body.unsigned(1)
    const bytes = body.block()
    const field = new ByteCursor(bytes, 0, bytes.length)
    if (kind === FIELD.signedness) {
      for (const [n, column] of numeric.entries()) {
        column.isUnsigned = (bytes.readUInt8(n >> 3) & (0x80 >> (n & 7))) !== 0
      }
    } else if (kind === FIELD.names) {
      for (const column of columns) column.name = field.block().toString()
      isNamed = true
    } else if (kind === FIELD.key) key = readKey(field, false)
    else if (kind === FIELD.keyOfPrefixes) key = readKey(field, true)
    else if (kind === FIELD.defaultCharset) readDefaultCollation(field, character)
    else if (kind === FIELD.columnCharset) readCollations(field, character)
    else if (kind === FIELD.choiceDefaultCharset) readDefaultCollation(field, choices)
    else if (kind === FIELD.choiceCharset) readCollations(field, choices)
    else if (kind === FIELD.enumValues) readChoices(field, choices, TYPE.ENUM)
    else if (kind === FIELD.setValues) readChoices(field, choices, TYPE.SET)
  }
  return isNamed ? { columns, key: key.flatMap((at) => columns[at]?.name ?? []) } : null
}

/** A type and what its own metadata says. */
function readType(type: number, metadata: ByteCursor): Pick<Draft, 'type' | 'size' | 'decimals'> {
  const sized = (bytes: number) => ({ type, size: metadata.unsigned(bytes), decimals: 0 })
  switch (type) {
    case TYPE.STRING: {
      const first = metadata.unsigned(1)
      const last = metadata.unsigned(1)
      if (first === TYPE.ENUM || first === TYPE.SET) return { type: first, size: last, decimals: 0 }
      // A CHAR of more than 255 bytes has the upper bits of its length, inverted, in those of the type.
      return { type, size: last | (((first & 0x30) ^ 0x30) << 4), decimals: 0 }
    }
    case TYPE.VARCHAR:
    case TYPE.VAR_STRING:
      return sized(2)
    case TYPE.NEWDECIMAL:
      return { type, size: metadata.unsigned(1), decimals: metadata.unsigned(1) }
    case TYPE.BIT: {
      const bits = metadata.unsigned(1)
      return { type, size: metadata.unsigned(1) + (bits > 0 ? 1 : 0), decimals: 0 }
    }
    case TYPE.TIMESTAMP2:
    case TYPE.DATETIME2:
    case TYPE.TIME2:
      return { type, size: 0, decimals: metadata.unsigned(1) }
    case TYPE.FLOAT:
    case TYPE.DOUBLE:
    case TYPE.BLOB:
    case TYPE.JSON:
    case TYPE.GEOMETRY:
    case TYPE.VECTOR:
      return sized(1)
    default:
      return { type, size: 0, decimals: 0 }
  }
}

/** One collation for all of them, then those that have another: a place among them and its collation. */
function readDefaultCollation(field: ByteCursor, columns: readonly Draft[]) {
  const all = field.packed()
  for (const column of columns) column.collation = all
  while (!field.isAtEnd) {
    const column = columns[field.packed()]
    const collation = field.packed()
    if (column) column.collation = collation
  }
}

function readCollations(field: ByteCursor, columns: readonly Draft[]) {
  for (const column of columns) column.collation = field.packed()
}

function readChoices(field: ByteCursor, columns: readonly Draft[], type: number) {
  for (const column of columns) {
    if (column.type === type) {
      column.choices = Array.from({ length: field.packed() }, () => field.block())
    }
  }
}

/** The places of the key's columns; behind each, where one of them is a prefix, its length. */
function readKey(field: ByteCursor, hasLengths: boolean): readonly number[] {
  const places: number[] = []
  while (!field.isAtEnd) {
    places.push(field.packed())
    if (hasLengths) field.packed()
  }
  return places
}
