/** A column's type in a table map. Source: MySQL 9 source, `field_types.h`. */
export const TYPE = {
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  /** This, TIME and DATETIME in a JSON only; in rows they have the numbers 17 to 19. */
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  NEWDATE: 14,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const

/** A column as a table map with full metadata describes it. */
export interface MappedColumn {
  readonly name: string
  /** Its real type: an ENUM travels as a STRING. */
  readonly type: number
  /** What the type's own metadata says; its meaning is the type's. */
  readonly size: number
  readonly decimals: number
  readonly isUnsigned: boolean
  /** The id of its collation; null where it has none. 63 is that of bytes. */
  readonly collation: number | null
  /** What an ENUM or SET may hold, in its character set. */
  readonly choices: readonly Buffer[]
}

export const BINARY_COLLATION = 63

/** Of bytes, of a day, of JSON: its cells are numbers and texts only as others are written. */
export function isOpaque({ type, collation }: MappedColumn): boolean {
  return OPAQUE.has(type) || collation === BINARY_COLLATION
}

const OPAQUE: ReadonlySet<number> = new Set([
  TYPE.TIMESTAMP2,
  TYPE.DATETIME2,
  TYPE.DATE,
  TYPE.NEWDATE,
  TYPE.BIT,
  TYPE.JSON,
  TYPE.GEOMETRY,
  TYPE.VECTOR,
])
