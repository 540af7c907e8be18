import { type ChangeEvent, changeKey, type Operation, type Row } from '../../contract/change-event'
import type { CapturedTable } from '../../contract/tables'

/** A change as Kafka holds it; a null value is a tombstone. */
export interface ChangeRecord {
  readonly table: CapturedTable
  readonly key: string
  readonly value: string | null
}

/** A change, and after a delete its tombstone, with which compaction forgets the row. */
export function encodeChange(event: ChangeEvent): readonly ChangeRecord[] {
  const { table } = event.source
  const row = event.after ?? event.before
  if (!row) throw new TypeError(`a change of ${table} without a row`)
  const key = changeKey(table, row)
  const record = { table, key, value: JSON.stringify(event) }
  return event.op === 'd' ? [record, { table, key, value: null }] : [record]
}

/**
 * The change in a record's value, checked as far as its consumers rely on it. Debezium's own envelope
 * passes: it knows no epoch and more kinds of snapshot. Throws a `TypeError` that says what is wrong.
 */
export function decodeChange(table: CapturedTable, value: string): ChangeEvent {
  const envelope: unknown = JSON.parse(value)
  const { before, after, source, op, ts_ms, transaction } = object(envelope, 'the value')
  const from = object(source, 'source')
  if (from.table !== table) throw new TypeError(`source.table is not ${table}`)
  const operation = member(op)
  const rows = { before: rowOrNull(before, 'before'), after: rowOrNull(after, 'after') }
  if (!rows[operation === 'd' ? 'before' : 'after']) {
    throw new TypeError(`op ${operation} without its row`)
  }
  return {
    ...rows,
    source: {
      connector: from.connector === 'sqlite' ? 'sqlite' : 'mysql',
      db: text(from.db, 'source.db'),
      table,
      ts_ms: count(from.ts_ms, 'source.ts_ms'),
      gtid: gtid(from.gtid),
      file: text(from.file, 'source.file'),
      pos: count(from.pos, 'source.pos'),
      row: count(from.row, 'source.row'),
      snapshot: ['false', false, null, undefined].some((no) => no === from.snapshot)
        ? 'false'
        : 'true',
      epoch: from.epoch === undefined ? 0 : count(from.epoch, 'source.epoch'),
    },
    op: operation,
    ts_ms: count(ts_ms, 'ts_ms'),
    transaction: transactionOrNull(transaction),
  }
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new TypeError(`${what} is not an object`)
}

function rowOrNull(value: unknown, what: string): Row | null {
  if (value === null || value === undefined) return null
  const row: Record<string, number | string | null> = {}
  for (const [column, cell] of Object.entries(object(value, what))) {
    if (cell !== null && typeof cell !== 'string' && typeof cell !== 'number') {
      throw new TypeError(`${what}.${column} is neither number, string nor null`)
    }
    row[column] = cell
  }
  return row
}

function transactionOrNull(value: unknown): ChangeEvent['transaction'] {
  if (value === null || value === undefined) return null
  const { id, total_order } = object(value, 'transaction')
  return {
    id: text(id, 'transaction.id'),
    total_order: count(total_order, 'transaction.total_order'),
  }
}

function member(value: unknown): Operation {
  if (value === 'c' || value === 'u' || value === 'd' || value === 'r') return value
  throw new TypeError('op is none of c, u, d, r')
}

function gtid(value: unknown): string {
  if (typeof value === 'string' && /:\d+$/.test(value)) return value
  throw new TypeError('source.gtid does not end in a sequence number')
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new TypeError(`${what} is not a string`)
}

function count(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new TypeError(`${what} is not an exact whole number`)
}
