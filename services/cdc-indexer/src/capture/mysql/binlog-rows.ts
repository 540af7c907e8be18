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
export type RowsSource = Omit<ChangeSource, 'row'>

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
  const old = before && toRow(layout, before)
  const current = after && toRow(layout, after)
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
    },
    op,
    ts_ms: source.ts_ms,
    transaction: { id: source.gtid, total_order: order },
  })
  if (!old) return [event('c', null, current, ordinal)]
  if (!current) return [event('d', old, null, ordinal)]
  const isSameKey = CAPTURED_TABLES[layout.table].key.every((name) => old[name] === current[name])
  if (isSameKey) return [event('u', old, current, ordinal)]
  return [event('d', old, null, ordinal), event('c', null, current, ordinal + 1)]
}

/** The row of an image. Throws an `OperatorError` where it does not fit what consumers read. */
export function toRow(layout: TableLayout, image: Readonly<Record<string, unknown>>): Row {
  const row: Record<string, number | string | null> = {}
  for (const column of layout.columns) {
    const value = image[column.name]
    row[column.name] =
      typeof value === 'number' || value === null ? value : toCell(value, column, layout)
  }
  const { isRow, problemOf } = CAPTURED_TABLES[layout.table]
  if (!isRow(row)) throw retyped(layout, problemOf(row))
  return row
}

/** Consumers check each row against its schema: one that does not fit would stop them all, for good. */
function retyped({ table, goOn }: TableLayout, problem: string): OperatorError {
  return new OperatorError(
    `a row of ${table} has another type than its consumers read (${problem}); give the column its type back, and ${goOn}`,
  )
}

/**
 * A cell that is no number: the driver hands over a BIGINT as text where a number would round it, and as text it
 * stays in a column that nobody reads.
 */
function toCell(value: unknown, column: BinlogColumn, layout: TableLayout): number | string {
  const { table, goOn } = layout
  const isRead = CAPTURED_TABLES[table].columns.includes(column.name)
  if (typeof value === 'string') {
    if (column.type !== LONGLONG || !isRead) return value
    throw new OperatorError(
      `${table}.${column.name} is ${value}, past what a number holds exactly (2^53); correct that row, and ${goOn}`,
    )
  }
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
