import { OperatorError } from '@sns/shared/errors/operator-error'
import type { ChangeEnvelope, ChangeSource, Operation, Row } from '@sns/shared/events/change-event'
import { CAPTURED_TABLES, type CapturedTable } from '@sns/shared/events/tables'
import { MOVE_ON } from '../ports/checkpoint-store'

/** A column as the binlog's own metadata describes it. */
export interface BinlogColumn {
  readonly name: string
  /** The type code on the wire. */
  readonly type: number
}

export interface TableLayout {
  readonly table: CapturedTable
  readonly columns: readonly BinlogColumn[]
  /** What an operator does once the cause is mended. */
  readonly goOn: string
}

/** What all changes of one rows event have in common in their `source`. */
export type RowsSource = Required<Omit<ChangeSource, 'row'>>

export interface RowImages {
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

/** The type code of a BIGINT. */
export const LONGLONG = 8

/** Throws an `OperatorError` where a column is missing that consumers read. */
export function tableLayout(
  table: CapturedTable,
  columns: readonly BinlogColumn[],
  goOn = MOVE_ON,
): TableLayout {
  const missing = CAPTURED_TABLES[table].columns.filter(
    (name) => !columns.some((column) => column.name === name),
  )
  if (missing.length > 0) {
    throw new OperatorError(
      `table ${table} lost its column ${missing.join(', ')}, which capture needs; put it back, and ${goOn}`,
    )
  }
  return { table, columns: columns.map(({ name, type }) => ({ name, type })), goOn }
}

/**
 * The events of one changed row, as Debezium makes them: an update that changes the primary key is a
 * delete of the old key and a create of the new one. `ordinal` counts the transaction's events from 1.
 */
export function changeEvents(
  layout: TableLayout,
  { before, after }: RowImages,
  source: RowsSource,
  row: number,
  ordinal: number,
): readonly ChangeEnvelope[] {
  const old = before && toRow(layout, before, exactDigits)
  const current = after && toRow(layout, after, exactDigits)
  const event = (
    op: Operation,
    from: Row | null,
    to: Row | null,
    order: number,
  ): ChangeEnvelope => ({
    before: from,
    after: to,
    source: {
      connector: source.connector,
      db: source.db,
      table: source.table,
      ts_ms: source.ts_ms,
      gtid: source.gtid,
      file: source.file,
      pos: source.pos,
      row,
      snapshot: source.snapshot,
      epoch: source.epoch,
      sequence: source.sequence,
    },
    op,
    ts_ms: source.ts_ms,
    transaction: { id: source.gtid, total_order: order },
  })
  if (!old) return [event('c', null, current, ordinal)]
  if (!current) return [event('d', old, null, ordinal)]
  const isSameKey = CAPTURED_TABLES[layout.table].key.every((name) =>
    isSame(old[name], current[name]),
  )
  if (isSameKey) return [event('u', old, current, ordinal)]
  return [event('d', old, null, ordinal), event('c', null, current, ordinal + 1)]
}

type Cells = Record<string, Row[string]>

/**
 * The row of an image. Throws an `OperatorError` where it does not fit what consumers read. `inexact` says what becomes
 * of a BIGINT that they read and that no number holds exactly.
 */
export function toRow(
  layout: TableLayout,
  image: Readonly<Record<string, unknown>>,
  inexact: (digits: string, column: string, layout: TableLayout) => Row[string],
): Row {
  const { isRow, problemOf, columns } = CAPTURED_TABLES[layout.table]
  const row: Cells = {}
  let isExact = true
  for (const column of layout.columns) {
    const value = image[column.name]
    if (typeof value === 'number' || value === null) row[column.name] = value
    else if (typeof value === 'string' && isInexact(column, columns)) {
      row[column.name] = inexact(value, column.name, layout)
      isExact = false
    } else row[column.name] = toCell(value, column, layout)
  }
  const checked = isExact ? row : withoutDigits(row)
  if (!isRow(checked)) throw retyped(layout, problemOf(checked))
  return row
}

/** The driver hands over a BIGINT as text where a number would round it. */
function isInexact({ type, name }: BinlogColumn, read: readonly string[]): boolean {
  return type === LONGLONG && read.includes(name)
}

/** Its digits: who consumes the row puts it aside, and all others are read on. */
function exactDigits(digits: string): Row[string] {
  return JSON.rawJSON(digits)
}

/** Refuses it: a snapshot is asked for by somebody who can correct the row. */
export function refuseInexact(digits: string, column: string, layout: TableLayout): never {
  throw new OperatorError(
    `${layout.table}.${column} is ${digits}, past what a number holds exactly (2^53); correct that row, and ${layout.goOn}`,
  )
}

function withoutDigits(row: Cells): Cells {
  const exact = Object.entries(row).map(([name, cell]) => [name, JSON.isRawJSON(cell) ? 0 : cell])
  return Object.fromEntries(exact)
}

function isSame(one: Row[string] | undefined, other: Row[string] | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

/** Consumers check each row against its schema: one that does not fit would stop them all, for good. */
function retyped({ table, goOn }: TableLayout, problem: string): OperatorError {
  return new OperatorError(
    `a row of ${table} has another type than its consumers read (${problem}); give the column its type back, and ${goOn}`,
  )
}

/** A cell that is no number. A BIGINT that nobody reads stays text where a number would round it. */
function toCell(value: unknown, column: BinlogColumn, layout: TableLayout): number | string {
  const { table } = layout
  const isRead = CAPTURED_TABLES[table].columns.includes(column.name)
  if (typeof value === 'string') return value
  if (value === undefined) {
    throw new OperatorError(
      `${table}.${column.name} came without a value; set binlog_row_image=FULL`,
    )
  }
  if (isRead) throw retyped(layout, `.${column.name}: Expected no binary, date or JSON`)
  if (value instanceof Date) return value.getTime()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return JSON.stringify(value)
}
