import type { ByteCursor } from './byte-cursor'

/** A day and the time in it, as MySQL keeps them: months and days may be zero. */
interface Moment {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
}

const MICROS = 2 ** 24
/** What a moment's microseconds are counted in, by how many decimals are kept. */
const UNIT = [0, 10_000, 10_000, 100, 100, 1, 1]

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0')

function fractionOf(micros: number, decimals: number): string {
  return decimals > 0 ? `.${pad(micros, 6).slice(0, decimals)}` : ''
}

/** Source of this and what follows: MySQL 9 source, `my_time.cc`. */
export function readDate(cursor: ByteCursor): number | string {
  const packed = cursor.unsigned(3)
  return dateCell(momentOf((packed >> 9) * 13 + ((packed >> 5) & 15), packed & 31, 0, 0), null)
}

export function readDatetime(cursor: ByteCursor, decimals: number): number | string {
  const packed = cursor.unsignedBigEndian(5) - 2 ** 39
  const micros = readFraction(cursor, decimals)
  const days = Math.floor(packed / 2 ** 17)
  return dateCell(momentOf(days >> 5, days & 31, packed % 2 ** 17, micros), decimals)
}

export function readTimestamp(cursor: ByteCursor, decimals: number): number | string {
  const seconds = cursor.unsignedBigEndian(4)
  const micros = readFraction(cursor, decimals)
  if (seconds === 0 && micros === 0) return dateCell(momentOf(0, 0, 0, 0), decimals)
  const at = new Date(seconds * 1_000)
  const months = at.getUTCFullYear() * 13 + at.getUTCMonth() + 1
  const time = (at.getUTCHours() << 12) | (at.getUTCMinutes() << 6) | at.getUTCSeconds()
  return dateCell(momentOf(months, at.getUTCDate(), time, micros), decimals)
}

export function readTime(cursor: ByteCursor, decimals: number): string {
  const size = 3 + fractionBytes(decimals)
  const packed = cursor.unsignedBigEndian(size) - 256 ** size / 2
  // Below zero all of it is negative, the fraction too.
  const scale = 256 ** (size - 3)
  const amount = Math.abs(packed)
  const micros = (amount % scale) * (UNIT[decimals] ?? 0)
  return timeText(packed < 0, Math.floor(amount / scale), micros, decimals)
}

/** A TIME in a JSON: `hh:mm:ss` with all six decimals. */
export function packedTimeText(packed: bigint): string {
  const amount = packed < 0n ? -packed : packed
  return timeText(packed < 0n, Number(amount >> 24n), Number(amount) % MICROS, 6)
}

/** A DATETIME or TIMESTAMP in a JSON; without decimals a DATE. */
export function packedMomentText(packed: bigint, decimals: number | null): string {
  const amount = packed < 0n ? -packed : packed
  const days = Number(amount >> 41n)
  const time = Number((amount >> 24n) & 0x1ffffn)
  return momentText(momentOf(days >> 5, days & 31, time, Number(amount & 0xffffffn)), decimals)
}

/** The same cell from what a SELECT writes. */
export function dateCellOf(text: string): number | string {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?$/.exec(text)
  if (!found) return text
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const decimals = found[4] === undefined ? null : (found[7] ?? '').length
  const micros = Number((found[7] ?? '').padEnd(6, '0'))
  return dateCell({ year, month, day, hour, minute, second, micros }, decimals)
}

function momentOf(months: number, day: number, time: number, micros: number): Moment {
  return {
    year: Math.floor(months / 13),
    month: months % 13,
    day,
    hour: time >> 12,
    minute: (time >> 6) & 63,
    second: time & 63,
    micros,
  }
}

function timeText(isNegative: boolean, hms: number, micros: number, decimals: number): string {
  const hour = (hms >> 12) & 1023
  const text = `${pad(hour)}:${pad((hms >> 6) & 63)}:${pad(hms & 63)}${fractionOf(micros, decimals)}`
  return isNegative ? `-${text}` : text
}

function momentText(moment: Moment, decimals: number | null): string {
  const { year, month, day, hour, minute, second, micros } = moment
  const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`
  if (decimals === null) return date
  return `${date} ${pad(hour)}:${pad(minute)}:${pad(second)}${fractionOf(micros, decimals)}`
}

/** Decimals that milliseconds hold. */
const MOST_DECIMALS = 3

/**
 * Unix milliseconds; as MySQL writes it where they do not say it all: a column of microseconds, and a day that no
 * calendar has (`0000-00-00`, `2024-02-31`).
 */
function dateCell(moment: Moment, decimals: number | null): number | string {
  const { year, month, day, hour, minute, second, micros } = moment
  if ((decimals ?? 0) > MOST_DECIMALS) return momentText(moment, decimals)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    return momentText(moment, decimals)
  }
  return date.setUTCHours(hour, minute, second, micros / 1_000)
}

function fractionBytes(decimals: number): number {
  return (decimals + 1) >> 1
}

function readFraction(cursor: ByteCursor, decimals: number): number {
  if (decimals === 0) return 0
  return cursor.unsignedBigEndian(fractionBytes(decimals)) * (UNIT[decimals] ?? 0)
}
