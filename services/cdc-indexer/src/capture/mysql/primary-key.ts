import { CAPTURED_TABLES, type CapturedTable } from '@sns/shared/events/tables'

/**
 * What is wrong where the table's rows are not told apart by the columns that their records are keyed by: under another
 * key, rows would overwrite each other's records, or keep more than one. Null: nothing is.
 */
export function primaryKeyProblem(table: CapturedTable, actual: readonly string[]): string | null {
  const { key } = CAPTURED_TABLES[table]
  if (key.length === actual.length && key.every((column) => actual.includes(column))) {
    return null
  }
  const is = actual.length > 0 ? `is (${actual.join(', ')})` : 'is gone'
  return `the primary key of ${table} ${is}, and its records are kept by (${key.join(', ')}); give it that key back`
}
