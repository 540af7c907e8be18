import type { ByteCursor } from './byte-cursor'

/** A whole number as a number where that holds it exactly, else its digits. */
export type Exact = number | string

const HIGH = 2 ** 32

export function readLong(cursor: ByteCursor, isUnsigned: boolean): Exact {
  const { bytes } = cursor
  const at = cursor.take(8)
  const high = isUnsigned ? bytes.readUInt32LE(at + 4) : bytes.readInt32LE(at + 4)
  const value = high * HIGH + bytes.readUInt32LE(at)
  if (Number.isSafeInteger(value)) return value
  return String(isUnsigned ? bytes.readBigUInt64LE(at) : bytes.readBigInt64LE(at))
}

/** The bytes that so many digits take: nine in four, fewer in less. */
const BYTES_OF_DIGITS = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
const DIGITS = 9

/**
 * A DECIMAL as MySQL writes it. Nine digits stand in four bytes, the highest first; the first bit is inverted, and of
 * negative ones all bits. Source: MySQL 9 source, `decimal2bin`.
 */
export function readDecimal(cursor: ByteCursor, precision: number, scale: number): string {
  const whole = precision - scale
  const first = cursor.bytes[cursor.at] ?? 0
  const isNegative = (first & 0x80) === 0
  let isFirst = true
  const group = (digits: number): string => {
    const size = BYTES_OF_DIGITS[digits] ?? 0
    let value = cursor.unsignedBigEndian(size)
    const all = 256 ** size
    if (isFirst) value = isNegative ? value + all / 2 : value - all / 2
    isFirst = false
    if (isNegative) value = all - 1 - (value % all)
    return String(value).padStart(digits, '0')
  }
  let digits = whole % DIGITS > 0 ? group(whole % DIGITS) : ''
  for (let left = whole; left >= DIGITS; left -= DIGITS) digits += group(DIGITS)
  let fraction = ''
  for (let left = scale; left >= DIGITS; left -= DIGITS) fraction += group(DIGITS)
  if (scale % DIGITS > 0) fraction += group(scale % DIGITS)
  const text = withoutLeadingZeros(digits) + (scale > 0 ? `.${fraction}` : '')
  return isNegative ? `-${text}` : text
}

/** At least one digit stays; a ZEROFILL column's are for show. */
export function withoutLeadingZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '') || '0'
}
