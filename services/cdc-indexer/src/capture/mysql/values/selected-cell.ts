import type { Cell } from '@sns/shared/events/change-event'
import { compactJson } from './json-text'
import { withoutLeadingZeros } from './numbers'
import { dateCellOf } from './times'

/** A column as the server's catalogue describes it. */
export interface SelectedColumn {
  readonly name: string
  /** `data_type`, in lower case. */
  readonly type: string
}

/**
 * How a column is selected. FLOATs and DOUBLEs are written with as many digits as they have, and not as many as their
 * column shows; what a driver would make an object of comes as text or bytes.
 */
export function selectionOf({ name, type }: SelectedColumn): string {
  const column = `\`${name.replaceAll('`', '``')}\``
  if (type === 'float' || type === 'double') return `${column} + 0e0 AS ${column}`
  if (AS_TEXT.has(type)) return `CAST(${column} AS CHAR) AS ${column}`
  if (GEOMETRIES.has(type) || type === 'vector') return `CAST(${column} AS BINARY) AS ${column}`
  return column
}

/** The same cell from what the driver makes of it as a row image has it. Throws a `TypeError` where it cannot. */
export function selectedCell({ name, type }: SelectedColumn, value: unknown): Cell {
  if (value === null) return null
  if (typeof value === 'number') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'string') throw new TypeError(`${name} is no text, number or bytes`)
  if (type === 'json') return compactJson(value)
  if (DATES.has(type)) return dateCellOf(value)
  return type === 'bigint' || type === 'decimal' ? unpadded(value) : value
}

const DATES: ReadonlySet<string> = new Set(['date', 'datetime', 'timestamp'])
const AS_TEXT: ReadonlySet<string> = new Set([...DATES, 'time', 'json'])
const GEOMETRIES: ReadonlySet<string> = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geomcollection',
  'geometrycollection',
])

function unpadded(digits: string): string {
  return digits.startsWith('-') ? digits : withoutLeadingZeros(digits)
}

/** Whether its cells are numbers or texts only as others are written. */
export function isOpaqueType(type: string): boolean {
  return DATES.has(type) || GEOMETRIES.has(type) || BYTES.has(type) || type === 'json'
}

const BYTES: ReadonlySet<string> = new Set([
  'bit',
  'binary',
  'varbinary',
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
  'vector',
])
