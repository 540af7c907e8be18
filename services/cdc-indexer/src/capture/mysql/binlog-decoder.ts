import { OperatorError } from '@sns/shared/errors/operator-error'
import { type CapturedTable, isCapturedTable } from '@sns/shared/events/tables'
import type {
  AnyBinlogEvent,
  BinlogEventByTypeName,
  BinlogEventTypeName,
  TableMapEvent,
} from '@vlasky/zongji'
import { MOVE_ON } from '../ports/checkpoint-store'
import { type RowImages, type TableLayout, tableLayout } from './binlog-rows'
import type { TransactionReader } from './binlog-transactions'
import { primaryKeyProblem } from './primary-key'
import type { LoggedQuery } from './query-event'

/** Events that the reader must hand over; the rest of the log is skipped unread. */
export const DECODED_EVENTS = [
  'anonymousgtid',
  'gtid',
  'query',
  'rotate',
  'tablemap',
  'writerows',
  'updaterows',
  'deleterows',
  'xaprepare',
  'xid',
]

const EVENT_HEADER_BYTES = 19
const CHECKSUM_BYTES = 4

export interface BinlogDecoderOptions {
  readonly reader: TransactionReader
  /** Whether events end in a checksum. */
  readonly hasChecksum: () => boolean
  /** The exact commit time in the GTID event at hand (Unix microseconds); null: whole seconds must do. */
  readonly committedAt: () => number | null
  /** The statement in the Query event at hand. */
  readonly query: () => LoggedQuery
}

/** Turns the driver's events into calls of a `TransactionReader`. May throw an `OperatorError`. */
export function createBinlogDecoder({
  reader,
  hasChecksum,
  committedAt,
  query,
}: BinlogDecoderOptions) {
  /** Null: changes of the table that are passed over. */
  const layouts = new Map<number, TableLayout | null>()

  function rows(
    event: BinlogEventByTypeName<'WriteRows' | 'UpdateRows' | 'DeleteRows'>,
    images: readonly RowImages[],
  ) {
    const layout = layouts.get(event.tableId)
    if (layout === null) return
    if (!layout) throw new OperatorError('a rows event came without its table map; restart capture')
    if (!isFullImage(event)) {
      return reader.unread(
        layout.table,
        `a change of ${layout.table} has only some of its columns; set binlog_row_image=FULL for every session`,
      )
    }
    const bytes = event.size + EVENT_HEADER_BYTES + (hasChecksum() ? CHECKSUM_BYTES : 0)
    reader.rows({ layout, rows: images, pos: Math.max(0, event.nextPosition - bytes) })
  }

  /** Only sessions that ask for partial JSON write such events, and then for each update. */
  function partialRows(tableId: number) {
    const layout = layouts.get(tableId)
    if (!layout) return
    reader.unread(
      layout.table,
      `an update of ${layout.table} was logged by a session with binlog_row_value_options=PARTIAL_JSON; set it to '' for every session that changes the captured tables`,
    )
  }

  /** The driver would take the text of any session for UTF-8, and shows no `LOAD DATA`. */
  function statement(logged: LoggedQuery) {
    reader.statement(logged.sql, logged.schema, logged.endPos, logged)
  }

  function decode(event: AnyBinlogEvent): void {
    if (is(event, 'Query')) {
      statement(query())
    } else if (is(event, 'WriteRows')) {
      rows(
        event,
        event.rows.map((after) => ({ before: null, after })),
      )
    } else if (is(event, 'UpdateRows')) {
      rows(event, event.rows)
    } else if (is(event, 'DeleteRows')) {
      rows(
        event,
        event.rows.map((before) => ({ before, after: null })),
      )
    } else if (is(event, 'TableMap')) {
      if (isCapturedTable(event.tableName)) {
        layouts.set(event.tableId, layoutOf(event, event.tableName))
      }
    } else if (is(event, 'Xid')) {
      reader.commit(event.nextPosition)
    } else if (is(event, 'Gtid')) {
      reader.begin(event.gtid, committedAt() ?? event.timestamp * 1_000)
    } else if (is(event, 'Rotate')) {
      reader.rotate(event.binlogName)
    } else if (is(event, 'XaPrepare')) {
      reader.prepared(event.nextPosition)
    } else if (is(event, 'AnonymousGtid')) {
      throw new OperatorError(
        `the binlog has a transaction without a GTID; set gtid_mode=ON, and ${MOVE_ON}`,
      )
    }
  }

  function layoutOf(event: TableMapEvent, table: CapturedTable): TableLayout | null {
    const columns = event.tableMap[event.tableId]?.columns ?? []
    const key = (event.primaryKey ?? []).flatMap((at) => columns[at]?.name ?? [])
    const problem = event.hasSelfDescribingMetadata()
      ? primaryKeyProblem(table, key)
      : `changes of ${table} were logged without column names; set binlog_row_metadata=FULL`
    if (problem === null) return tableLayout(table, columns)
    reader.unread(table, problem)
    return null
  }

  return { decode, partialRows, statement }
}

/** The driver keeps which columns an image has, but does not type it. */
interface RowsBitmaps {
  readonly numberOfColumns: number
  readonly columns_present_bitmap?: unknown
  readonly columns_present_bitmap2?: unknown
}

function isFullImage(event: RowsBitmaps): boolean {
  const { numberOfColumns, columns_present_bitmap: first, columns_present_bitmap2: second } = event
  return hasAll(first, numberOfColumns) && (second === undefined || hasAll(second, numberOfColumns))
}

function hasAll(bitmap: unknown, columns: number): boolean {
  if (!(bitmap instanceof Uint8Array)) return false
  for (let i = 0; i < columns; i++) {
    if (((bitmap[i >> 3] ?? 0) & (1 << (i & 7))) === 0) return false
  }
  return true
}

function is<Name extends BinlogEventTypeName>(
  event: AnyBinlogEvent,
  name: Name,
): event is BinlogEventByTypeName<Name> {
  return event.getTypeName() === name
}
