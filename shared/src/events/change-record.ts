import { type ChangeEnvelope, type ChangeEvent, changeKey, type Operation } from './change-event'
import { type CapturedTable, decodeInexactRow, decodeRow, type RowOf } from './tables'

/** A change as Kafka holds it, beside what whoever publishes it asks of it. */
export interface EncodedChange {
  readonly table: CapturedTable
  readonly op: Operation
  readonly gtid: string
  /** Unix milliseconds. */
  readonly committedAt: number
  readonly key: string
  /** The envelope as JSON. */
  readonly value: string
  /** Of key and value together, as UTF-8. */
  readonly bytes: number
}

export function encodeChange(event: ChangeEnvelope): EncodedChange {
  const { op, source } = event
  const { table, gtid, ts_ms: committedAt } = source
  const row = event.after ?? event.before
  if (!row) throw new TypeError(`a change of ${table} without a row`)
  const key = changeKey(table, row)
  const value = JSON.stringify(event)
  const bytes = Buffer.byteLength(key) + Buffer.byteLength(value)
  return { table, op, gtid, committedAt, key, value, bytes }
}

/**
 * The change in a record's value, with rows that fit their table. Debezium's own envelope passes: it
 * knows no epoch and more kinds of snapshot. Throws a `TypeError` that says what is wrong.
 */
export function decodeChange<T extends CapturedTable>(table: T, value: string): ChangeEvent<T> {
  return decode(table, value, decodeRow)
}

/** The same, of a row that nobody can use: its integers are rounded to what a number holds. */
export function decodeInexactChange<T extends CapturedTable>(
  table: T,
  value: string,
): ChangeEvent<T> {
  return decode(table, value, decodeInexactRow)
}

function decode<T extends CapturedTable>(
  table: T,
  value: string,
  rowFrom: typeof decodeRow<T>,
): ChangeEvent<T> {
  const rowOrNull = (row: unknown, what: string) =>
    row === null || row === undefined ? null : rowFrom(table, row, what)
  const envelope: unknown = JSON.parse(value)
  const { before, after, source, op, ts_ms, transaction } = object(envelope, 'the value')
  const from = object(source, 'source')
  if (from.table !== table) throw new TypeError(`source.table is not ${table}`)
  return changeOf(member(op), rowOrNull(before, 'before'), rowOrNull(after, 'after'), {
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
      epoch: from.epoch === undefined ? null : count(from.epoch, 'source.epoch'),
      ...((from.sequence ?? null) !== null && {
        sequence: count(from.sequence, 'source.sequence'),
      }),
    },
    ts_ms: count(ts_ms, 'ts_ms'),
    transaction: transactionOrNull(transaction),
  })
}

/** The event of an operation with the rows that it must have; a `TypeError` where one is missing. */
export function changeOf<T extends CapturedTable>(
  op: Operation,
  before: RowOf<T> | null,
  after: RowOf<T> | null,
  { source, ts_ms, transaction }: Pick<ChangeEvent<T>, 'source' | 'ts_ms' | 'transaction'>,
): ChangeEvent<T> {
  if (op === 'd') {
    if (!before) throw new TypeError('op d without its row')
    return { before, after: null, source, op, ts_ms, transaction }
  }
  if (!after) throw new TypeError(`op ${op} without its row`)
  return { before, after, source, op, ts_ms, transaction }
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value
  throw new TypeError(`${what} is not an object`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
  if (value === null || value === undefined) {
    throw new TypeError(
      'source.gtid is missing: who writes the record must read a MySQL with gtid_mode=ON',
    )
  }
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
