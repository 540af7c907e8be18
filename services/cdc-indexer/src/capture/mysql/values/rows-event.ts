import type { Cell } from '@sns/shared/events/change-event'
import type { ByteCursor } from './byte-cursor'
import type { CellReader } from './column-reader'
import { FLAG_BYTES, TABLE_ID_BYTES } from './table-map'

/** A row as the log has it, by the names of its columns. */
export type RowImage = Readonly<Record<string, Cell>>

export interface RowImages {
  readonly before: RowImage | null
  readonly after: RowImage | null
}

export const WRITE_ROWS_EVENT = 30
export const UPDATE_ROWS_EVENT = 31
export const DELETE_ROWS_EVENT = 32

export interface ReadableColumn {
  readonly name: string
  readonly read: CellReader
}

/** Whose rows the event at the cursor has. */
export function readTableId(body: ByteCursor): number {
  return body.unsigned(TABLE_ID_BYTES)
}

/**
 * The rows of an event, from behind its table's id; null where it has only some of the columns. Layout: MySQL 9 source
 * documentation, "Rows_event".
 */
export function readRows(
  eventType: number,
  body: ByteCursor,
  columns: readonly ReadableColumn[],
): readonly RowImages[] | null {
  body.take(FLAG_BYTES)
  const extra = body.unsigned(2)
  body.take(extra - 2)
  const count = body.packed()
  const isUpdate = eventType === UPDATE_ROWS_EVENT
  const present = [
    body.slice((count + 7) >> 3),
    ...(isUpdate ? [body.slice((count + 7) >> 3)] : []),
  ]
  if (count !== columns.length || !present.every((bits) => hasAll(bits, count))) return null
  const rows: RowImages[] = []
  while (!body.isAtEnd) {
    const image = readImage(body, columns)
    if (isUpdate) rows.push({ before: image, after: readImage(body, columns) })
    else if (eventType === DELETE_ROWS_EVENT) rows.push({ before: image, after: null })
    else rows.push({ before: null, after: image })
  }
  return rows
}

function readImage(body: ByteCursor, columns: readonly ReadableColumn[]): RowImage {
  const { bytes } = body
  const nulls = body.take((columns.length + 7) >> 3)
  const image: Record<string, Cell> = {}
  let n = 0
  for (const { name, read } of columns) {
    const isNull = ((bytes[nulls + (n >> 3)] ?? 0) & (1 << (n & 7))) !== 0
    image[name] = isNull ? null : read(body)
    n += 1
  }
  return image
}

function hasAll(bits: Buffer, count: number): boolean {
  for (let n = 0; n < count; n += 1) {
    if (((bits[n >> 3] ?? 0) & (1 << (n & 7))) === 0) return false
  }
  return true
}
