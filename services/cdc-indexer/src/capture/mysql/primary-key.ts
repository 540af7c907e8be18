import { OperatorError } from '@sns/shared/errors/operator-error'
import { CAPTURED_TABLES, type CapturedTable } from '@sns/shared/events/tables'

/**
 * Throws an `OperatorError` unless the table's rows are told apart by the columns that their records are keyed by: under
 * another key, rows would overwrite each other's records, or keep more than one. `goOn` says what an operator does
 * once the cause is mended.
 */
export function assertPrimaryKey(
  table: CapturedTable,
  actual: readonly string[],
  goOn: string,
): void {
  const { key } = CAPTURED_TABLES[table]
  if (key.length === actual.length && key.every((column) => actual.includes(column))) return
  const is = actual.length > 0 ? `is (${actual.join(', ')})` : 'is gone'
  throw new OperatorError(
    `the primary key of ${table} ${is}, and its records are kept by (${key.join(', ')}); give it that key back, and ${goOn}`,
  )
}
