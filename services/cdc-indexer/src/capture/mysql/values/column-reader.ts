import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Cell } from '@sns/shared/events/change-event'
import type { ByteCursor } from './byte-cursor'
import type { TextDecoding } from './charsets'
import { enumText, setText } from './choices'
import { BINARY_COLLATION, type MappedColumn, TYPE } from './column'
import { jsonText } from './json-document'
import { readDecimal, readLong } from './numbers'
import { readDate, readDatetime, readTime, readTimestamp } from './times'

/** Reads one column's value in a row image; the cursor is behind it afterwards, whatever it holds. */
export type CellReader = (cursor: ByteCursor) => Cell

/** How a character set is decoded, by the id of a collation. Throws where that is not known. */
export type DecodingOf = (collation: number) => TextDecoding

/**
 * What reads a column's values. Layout: MySQL 9 source documentation, "Rows_event", and `Field::pack` of each type.
 * Throws an `OperatorError` at a type that is none of MySQL 8's and 9's.
 */
export function cellReader(column: MappedColumn, decodingOf: DecodingOf): CellReader {
  const { type, size, decimals, isUnsigned } = column
  switch (type) {
    case TYPE.TINY:
      return integer(1, isUnsigned)
    case TYPE.SHORT:
      return integer(2, isUnsigned)
    case TYPE.INT24:
      return integer(3, isUnsigned)
    case TYPE.LONG:
      return integer(4, isUnsigned)
    case TYPE.LONGLONG:
      return (cursor) => readLong(cursor, isUnsigned)
    case TYPE.FLOAT:
      return (cursor) => cursor.bytes.readFloatLE(cursor.take(4))
    case TYPE.DOUBLE:
      return (cursor) => cursor.bytes.readDoubleLE(cursor.take(8))
    case TYPE.NEWDECIMAL:
      return (cursor) => readDecimal(cursor, size, decimals)
    case TYPE.YEAR:
      return (cursor) => yearOf(cursor.unsigned(1))
    case TYPE.DATE:
    case TYPE.NEWDATE:
      return readDate
    case TYPE.TIME2:
      return (cursor) => readTime(cursor, decimals)
    case TYPE.DATETIME2:
      return (cursor) => readDatetime(cursor, decimals)
    case TYPE.TIMESTAMP2:
      return (cursor) => readTimestamp(cursor, decimals)
    case TYPE.BIT:
      return (cursor) => cursor.slice(size).toString('base64')
    case TYPE.ENUM:
    case TYPE.SET:
      return choice(column, decodingOf)
    case TYPE.VARCHAR:
    case TYPE.VAR_STRING:
    case TYPE.STRING:
      return text(column, size > 255 ? 2 : 1, decodingOf)
    case TYPE.BLOB:
      return text(column, size, decodingOf)
    case TYPE.JSON:
      return (cursor) => interpreted(cursor.slice(cursor.unsigned(size)), jsonText)
    case TYPE.GEOMETRY:
    case TYPE.VECTOR:
      return (cursor) => cursor.slice(cursor.unsigned(size)).toString('base64')
    default:
      throw new OperatorError(
        `column ${column.name} has a type that capture does not know (${type}); drop it`,
      )
  }
}

function integer(bytes: number, isUnsigned: boolean): CellReader {
  return isUnsigned
    ? (cursor) => cursor.unsigned(bytes)
    : (cursor) => cursor.bytes.readIntLE(cursor.take(bytes), bytes)
}

/** Kept as its distance from 1900; 0 is the year 0000. */
function yearOf(kept: number): number {
  return kept === 0 ? 0 : 1_900 + kept
}

function text(column: MappedColumn, prefix: number, decodingOf: DecodingOf): CellReader {
  const { type, size, collation } = column
  if (collation === BINARY_COLLATION || collation === null) {
    // The log leaves the zeros out that fill a BINARY up.
    const width = type === TYPE.STRING ? size : 0
    return (cursor) => {
      const bytes = cursor.slice(cursor.unsigned(prefix))
      if (bytes.length >= width) return bytes.toString('base64')
      return Buffer.concat([bytes], width).toString('base64')
    }
  }
  const decode = decodingOf(collation)
  return (cursor) => {
    const length = cursor.unsigned(prefix)
    const from = cursor.take(length)
    return decode(cursor.bytes, from, from + length)
  }
}

function choice(
  { type, size, collation, choices }: MappedColumn,
  decodingOf: DecodingOf,
): CellReader {
  const textOf =
    collation === BINARY_COLLATION || collation === null
      ? (bytes: Buffer) => bytes.toString('latin1')
      : wholeText(decodingOf(collation))
  const texts = choices.map(textOf)
  const read = type === TYPE.ENUM ? enumText : setText
  return (cursor) => interpreted(cursor.slice(size), (bytes) => read(bytes, texts))
}

function wholeText(decode: TextDecoding) {
  return (bytes: Buffer) => decode(bytes, 0, bytes.length)
}

/** Bytes that cannot be read stay as they are, beside why; the rest of the row is there. */
function interpreted(bytes: Buffer, read: (bytes: Buffer) => string): Cell {
  try {
    return read(bytes)
  } catch (error) {
    return { unreadable: bytes.toString('base64'), problem: asError(error).message }
  }
}
