import type { TypeCastField } from 'mysql2'

/** A BIGINT that no JavaScript number holds: rounded, it would be somebody else's row. */
export class InexactIntegerError extends RangeError {
  override readonly name = 'InexactIntegerError'

  constructor(column: string, digits: string) {
    super(`${column} holds ${digits}, which is past 2^53`)
  }
}

/** Reads BIGINTs as exact numbers, where mysql2 would round past 2^53. */
export function castColumn(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'LONGLONG') return next()
  const digits = field.string()
  if (digits === null) return null
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw new InexactIntegerError(field.name, digits)
  return value
}
