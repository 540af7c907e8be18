import { ByteCursor } from './byte-cursor'
import { TYPE } from './column'
import { jsonDouble } from './json-number'
import { readDecimal } from './numbers'
import { packedMomentText, packedTimeText } from './times'

const KIND = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const

const LITERALS = ['null', 'true', 'false']

/**
 * A JSON column's text, without white space, and else as MySQL writes it: values that JSON has no type for are texts.
 * Layout: MySQL 9 source, `json_binary.h`. Throws a `TypeError` or `RangeError` where the document is damaged.
 */
export function jsonText(document: Buffer): string {
  // What MySQL reads as null, too.
  if (document.length === 0) return 'null'
  return valueText(document.readUInt8(0), document.subarray(1))
}

function valueText(kind: number, bytes: Buffer): string {
  switch (kind) {
    case KIND.smallObject:
      return containerText(bytes, 2, true)
    case KIND.largeObject:
      return containerText(bytes, 4, true)
    case KIND.smallArray:
      return containerText(bytes, 2, false)
    case KIND.largeArray:
      return containerText(bytes, 4, false)
    case KIND.literal:
      return literalText(bytes.readUInt8(0))
    case KIND.int16:
      return String(bytes.readInt16LE(0))
    case KIND.uint16:
      return String(bytes.readUInt16LE(0))
    case KIND.int32:
      return String(bytes.readInt32LE(0))
    case KIND.uint32:
      return String(bytes.readUInt32LE(0))
    case KIND.int64:
      return String(bytes.readBigInt64LE(0))
    case KIND.uint64:
      return String(bytes.readBigUInt64LE(0))
    case KIND.double:
      return jsonDouble(bytes.readDoubleLE(0))
    case KIND.string:
      return JSON.stringify(lengthened(bytes, 0).toString())
    case KIND.opaque:
      return opaqueText(bytes.readUInt8(0), lengthened(bytes, 1))
    default:
      throw new TypeError(`its JSON has a value of kind ${kind}`)
  }
}

function literalText(which: number): string {
  const text = LITERALS[which]
  if (text === undefined) throw new TypeError(`its JSON has a literal ${which}`)
  return text
}

/**
 * Count and size, then for each key where it stands and its length, for each value its kind and where it stands, or
 * itself where it fits there; all offsets from here.
 */
function containerText(bytes: Buffer, width: 2 | 4, isObject: boolean): string {
  const cursor = new ByteCursor(bytes, 0, bytes.length)
  const count = cursor.unsigned(width)
  cursor.take(width)
  const keys: string[] = []
  for (let n = 0; isObject && n < count; n += 1) {
    const from = cursor.unsigned(width)
    const length = cursor.unsigned(2)
    keys.push(JSON.stringify(within(bytes, from, length).toString()))
  }
  const values: string[] = []
  for (let n = 0; n < count; n += 1) {
    const kind = cursor.unsigned(1)
    const at = cursor.take(width)
    const isInline = isInlined(kind, width)
    const value = isInline
      ? bytes.subarray(at, at + width)
      : beyond(bytes, bytes.readUIntLE(at, width))
    values.push(isObject ? `${keys[n]}:${valueText(kind, value)}` : valueText(kind, value))
  }
  return isObject ? `{${values.join(',')}}` : `[${values.join(',')}]`
}

function isInlined(kind: number, width: 2 | 4): boolean {
  if (kind === KIND.literal || kind === KIND.int16 || kind === KIND.uint16) return true
  return width === 4 && (kind === KIND.int32 || kind === KIND.uint32)
}

/** Bytes behind their length: seven bits a byte, the lowest first. */
function lengthened(bytes: Buffer, at: number): Buffer {
  let length = 0
  for (let n = 0; n < 5; n += 1) {
    const byte = bytes.readUInt8(at + n)
    length += (byte & 0x7f) * 2 ** (7 * n)
    if (byte < 0x80) return within(bytes, at + n + 1, length)
  }
  throw new RangeError('its JSON has a length that does not end')
}

function within(bytes: Buffer, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw new RangeError('its JSON is cut off')
  return bytes.subarray(from, from + length)
}

function beyond(bytes: Buffer, from: number): Buffer {
  return within(bytes, from, bytes.length - from)
}

/** A value of one of MySQL's own types: numbers stay such, times are as it writes them, all else is base64. */
function opaqueText(type: number, bytes: Buffer): string {
  switch (type) {
    case TYPE.NEWDECIMAL: {
      const cursor = new ByteCursor(bytes, 0, bytes.length)
      return readDecimal(cursor, cursor.unsigned(1), cursor.unsigned(1))
    }
    case TYPE.DATE:
      return `"${packedMomentText(bytes.readBigInt64LE(0), null)}"`
    case TYPE.DATETIME:
    case TYPE.TIMESTAMP:
      return `"${packedMomentText(bytes.readBigInt64LE(0), 6)}"`
    case TYPE.TIME:
      return `"${packedTimeText(bytes.readBigInt64LE(0))}"`
    default:
      return JSON.stringify(`base64:type${type}:${bytes.toString('base64')}`)
  }
}
