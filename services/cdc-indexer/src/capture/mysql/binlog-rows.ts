import { OperatorError } from '@sns/shared/errors/operator-error'
import type {
  Cell,
  ChangeEnvelope,
  ChangeSource,
  Operation,
  Row,
} from '@sns/shared/events/change-event'
import { CAPTURED_TABLES, type CapturedTable } from '@sns/shared/events/tables'
import { MOVE_ON } from '../ports/checkpoint-store'
import { TYPE } from './values/column'
import type { RowImage, RowImages } from './values/rows-event'

/** A column as the binlog's own metadata describes it. */
export interface BinlogColumn {
  readonly name: string
  readonly type: number
  /** Bytes, a date or a JSON: a cell that only looks like what consumers read. */
  readonly isOpaque?: boolean
}

export interface TableLayout {
  readonly table: CapturedTable
  readonly columns: readonly LayoutColumn[]
  /** What an operator does once the cause is mended. */
  readonly goOn: string
}

interface LayoutColumn extends BinlogColumn {
  /** Whether consumers read it. */
  readonly isRead: boolean
}

/** What all changes of one rows event have in common in their `source`. */
export type RowsSource = Required<Omit<ChangeSource, 'row'>>

/** Throws an `OperatorError` where a column is missing that consumers read. */
export function tableLayout(
  table: CapturedTable,
  columns: readonly BinlogColumn[],
  goOn = MOVE_ON,
): TableLayout {
  const read = CAPTURED_TABLES[table].columns
  const missing = read.filter((name) => !columns.some((column) => column.name === name))
  if (missing.length > 0) {
    throw new OperatorError(
      `table ${table} lost its column ${missing.join(', ')}, which capture needs; put it back, and ${goOn}`,
    )
  }
  return {
    table,
    columns: columns.map(({ name, type, isOpaque = false }) => ({
      name,
      type,
      isOpaque,
      isRead: read.includes(name),
    })),
    goOn,
  }
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

/**
 * The row of an image. Throws an `OperatorError` where it does not fit what consumers read. `inexact` says what becomes
 * of a BIGINT that they read and that no number holds exactly; of one that nobody reads the digits stay text.
 */
export function toRow(
  layout: TableLayout,
  image: RowImage,
  inexact: (digits: string, column: string, layout: TableLayout) => Cell,
): Row {
  const { isRow, problemOf } = CAPTURED_TABLES[layout.table]
  let row: RowImage = image
  let isExact = true
  for (const { name, type, isRead, isOpaque } of layout.columns) {
    const value = image[name]
    if (typeof value === 'number' || value === null) {
      if (isOpaque && isRead && value !== null) throw retyped(layout, opaque(name))
    } else if (value === undefined) {
      throw new OperatorError(
        `${layout.table}.${name} came without a value; set binlog_row_image=FULL`,
      )
    } else if (isRead) {
      if (isOpaque) throw retyped(layout, opaque(name))
      if (type === TYPE.LONGLONG && typeof value === 'string') {
        row = { ...row, [name]: inexact(value, name, layout) }
        isExact = false
      }
    }
  }
  const checked = isExact ? row : withoutDigits(row)
  if (!isRow(checked)) throw retyped(layout, problemOf(checked))
  return row
}

function opaque(name: string): string {
  return `.${name}: Expected no binary, date or JSON`
}

/** Its digits: who consumes the row puts it aside, and all others are read on. */
function exactDigits(digits: string): Cell {
  return JSON.rawJSON(digits)
}

/** Refuses it: a snapshot is asked for by somebody who can correct the row. */
export function refuseInexact(digits: string, column: string, layout: TableLayout): never {
  throw new OperatorError(
    `${layout.table}.${column} is ${digits}, past what a number holds exactly (2^53); correct that row, and ${layout.goOn}`,
  )
}

function withoutDigits(row: RowImage): RowImage {
  const exact = Object.entries(row).map(([name, cell]) => [name, JSON.isRawJSON(cell) ? 0 : cell])
  return Object.fromEntries(exact)
}

function isSame(one: Cell | undefined, other: Cell | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

/** Consumers check each row against its schema: one that does not fit would stop them all, for good. */
function retyped({ table, goOn }: TableLayout, problem: string): OperatorError {
  return new OperatorError(
    `a row of ${table} has another type than its consumers read (${problem}); give the column its type back, and ${goOn}`,
  )
}
